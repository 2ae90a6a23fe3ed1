"""What the library says to a Python user, and what the command line makes of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import naokit
from naokit.base import InputError
from naokit.cli.wordings import OPTIONS, PHRASES, for_command_line
from naokit.evaluators import Train
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.runs.final import Job, train_final
from naokit.spaces import ConvCells, load
from naokit.study import create_study

ROOT = Path(naokit.__file__).parent
WRITTEN = {
    *("abandoned.py", "card.py", "card_contents.py", "dashboard.py", "guard.py", "own_code.py"),
    "reporting.py",
}
"""What they write or say is a command to type."""


def texts(path: Path) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    for node in ast.walk(ast.parse(path.read_text())):
        for child in ast.iter_child_nodes(node):
            said = isinstance(child, ast.Constant) and isinstance(child.value, str)
            if said and not isinstance(node, ast.Expr):
                yield str(child.value)  # type: ignore[attr-defined]


def test_no_message_of_the_library_speaks_of_options() -> None:
    for path in ROOT.rglob("*.py"):
        if path.parent.name != "cli" and path.name not in WRITTEN:
            for text in texts(path):
                assert " --" not in text, (path, text)
                assert not re.match(r"--\w", text), (path, text)


def test_every_word_of_the_table_is_said_somewhere() -> None:
    said = " ".join(text for path in ROOT.rglob("*.py") for text in texts(path))
    for name in OPTIONS:
        assert f"`{name}`" in said or f"`{name}=" in said, name
    for phrase in PHRASES:
        assert phrase in said


@pytest.mark.parametrize(
    ("python", "command_line"),
    [
        ("give `image_size=224`, or", "give --image-size 224, or"),
        ("pictures out with `skip_bad=True`", "pictures out with --skip-bad"),
        ("use `device='cpu'`", "use --device cpu"),
        ("leave `nodes` out", "leave --nodes out"),
        ("a column `text` or `naokit search`", "a column `text` or `naokit search`"),
        (
            "to keep both, or remove this one to begin again in its place",
            "to keep both, or give --force to begin again in its place",
        ),
    ],
)
def test_a_parameter_becomes_an_option(python: str, command_line: str) -> None:
    assert for_command_line(python) == command_line


def test_a_python_user_is_told_of_parameters(tmp_path: Path) -> None:
    space = ConvCells.small(nodes=1)
    recipe = ImageRecipe("one", 1, 64, train_images=100)
    job = Job(ImageSubject("digits", 4, 1), recipe, tmp_path / "training")
    architecture = space.parse("0 0 1 3 0 1 1 4")
    train_final(architecture, job)
    create_study(space, storage=f"sqlite:///{tmp_path}/s.db", seed=1)
    for wrong, said in (
        (
            lambda: train_final(architecture, Job(job.subject, recipe, job.folder, seed=1)),
            "name another `folder` to keep both, or remove this one to begin again in its place",
        ),
        (
            lambda: train_final(architecture, Job(job.subject, recipe, tmp_path, processes=65)),
            "give fewer `processes`, or a larger `batch`",
        ),
        (
            lambda: create_study(space, storage=f"sqlite:///{tmp_path}/s.db", seed=2),
            "or another `name` to start a new one",
        ),
        (lambda: load("nas-bench-201", nodes=3), "leave `nodes` out"),
        (lambda: Train("digits", image_size=9).data, "(`image_size=9`)"),
    ):
        with pytest.raises(InputError) as caught:
            wrong()
        assert said in str(caught.value)
        assert "--" not in str(caught.value)
