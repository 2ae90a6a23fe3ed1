"""Names from data, configs and genotypes are text wherever they end up: never code or markup."""

import ast
import dataclasses
import io
import json
import sys
import tokenize
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from naokit.base import InputError
from naokit.cli.app import app
from naokit.export import Check, Results, export, save, standalone
from naokit.export.literals import literal
from naokit.images.bundle import ImageBundle
from naokit.images.loading import load_images
from naokit.images.task import ACCURACY
from naokit.kinds import load_bundle
from naokit.settings import ImageSettings
from naokit.spaces import Choice, Choices, ConvCells, Operation, RecurrentCells
from naokit.text.bundle import LanguageBundle
from naokit.text.vocabulary import Vocabulary
from naokit.wording import one_line, prose, without_commands

RUNS = "import pathlib; pathlib.Path('fired').touch()"
NAMES = (
    "''' #",
    f"\"\"\"\nfrom __future__ import annotations\n{RUNS}\nx = '''",
    f'"""\n{RUNS}\n"""',
    f"')\n{RUNS}\n#",
    "{weights} {0} {} {settings.__class__} %s %(x)d",
    "\\",
    "\\N{BULLET} \\u0041 \\",
    "`` ` ```",
    "a | b || c",
    "---\nlicense: mit\n---",
    "# heading",
    "<script>alert(1)</script><!-- ]]> &amp;",
    "[link](javascript:alert(1)) ![](http://a.b/c)",
    "[red]red[/red] [link=http://a.b]x[/] :smile:",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "nul\x00bell\x07back\x08\r",
    "\u202ertl\u200f\u2066x\u2069\u200b",
    "line\u2028paragraph\u2029next\x85end\x0c",
    "half \ud800 pair \udcff",
    "*bold* _under_ ~~struck~~ $x$ @someone",
    "=cmd|' /C calc'!A0",
    " ",
    "",
)


def own(channels: int, stride: int) -> torch.nn.Module:
    """A user's operation."""
    return torch.nn.Conv2d(channels, channels, 3, stride, 1)


OWN = (Operation(NAMES[1], own), Operation(NAMES[11], own))


def hostile(operations: tuple[Operation | str, ...] = OWN) -> ImageBundle:
    """A network whose every name is somebody's attempt."""
    space = ConvCells(1, operations, NAMES[2])
    architecture = space.parse("0 1 1 0 0 0 1 1")
    settings = ImageSettings(len(NAMES), 2, 1, (1, 8, 8))
    network = space.build(architecture, settings).eval()
    results = {
        "data": "".join(NAMES[8:10]),
        "test_accuracy": 50.0,
        NAMES[1]: 1.5,
        NAMES[11]: 2,
        "recipe": {NAMES[8]: NAMES[9], NAMES[12]: NAMES[11]},
    }
    return ImageBundle(
        network,
        architecture,
        settings,
        NAMES,
        (0.5,),
        (0.25,),
        Results.from_json(ACCURACY, results),
    )


def check_source(source: str, names: tuple[str, ...] = NAMES) -> None:
    """That a program holds the names in literals alone, and none in prose."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = ""
    described = ast.Module | ast.FunctionDef | ast.ClassDef
    docstrings = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, described)
    ]
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    outside = "\n".join([ast.unparse(tree), *docstrings, *comments])
    assert "pathlib.Path('fired')" not in outside
    assert "fired" not in outside
    for name in names:
        if len(name) > 10:
            assert name not in outside


def text_of(html: str) -> str:
    return "".join(ET.fromstring(f"<a>{html}</a>").itertext())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_stand_alone_file_holds_foreign_text_in_literals_alone(here: Path) -> None:
    bundle = hostile(("identity", "conv_1x1"))
    export(bundle, here / "network", ("python",))
    source = (here / "network" / "network.py").read_text()
    check_source(source)
    values: dict[str, object] = {"__file__": str(here / "network" / "network.py"), "__name__": "n"}
    module = type(sys)("n")
    module.__dict__.update(values)
    sys.modules["n"] = module
    try:
        exec(compile(source, "network.py", "exec"), module.__dict__)
    finally:
        del sys.modules["n"]
    assert module.CLASS_NAMES == NAMES
    assert bundle.architecture.space.name == module.SPACE
    assert str(bundle.architecture) == module.ARCHITECTURE
    assert not (here / "fired").exists()


def test_class_names_of_a_folder_from_elsewhere_do_not_run(
    here: Path, trained: ImageBundle, exported: tuple[Path, dict[str, Check]]
) -> None:
    """With the weights and a config alone, as a stranger would send them."""
    network = here / "network"
    network.mkdir()
    (network / "model.safetensors").write_bytes((exported[0] / "model.safetensors").read_bytes())
    config = json.loads((exported[0] / "config.json").read_text())
    config["class_names"] = [*NAMES[:10]]
    (network / "config.json").write_text(json.dumps({**config, "files": {}}))
    result = CliRunner().invoke(app, ["export", str(network), "--format", "python"])
    assert result.exit_code == 0, result.output
    assert not (here / "fired").exists()
    check_source((network / "network.py").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_recurrent_spaces_name_and_tokens_do_not_run(
    here: Path, language_model: LanguageBundle, name: str
) -> None:
    space = dataclasses.replace(language_model.architecture.space, label=name)
    assert isinstance(space, RecurrentCells)
    architecture = space.parse(str(language_model.architecture))
    token = name.encode(errors="replace").decode()
    tokens = list(dict.fromkeys((token, "<eos>", "<unk>", *map(str, range(12)))))[:12]
    vocabulary = Vocabulary("word", tuple(tokens))
    bundle = dataclasses.replace(language_model, architecture=architecture, vocabulary=vocabulary)
    save(bundle, here)
    assert load_bundle(here).architecture.space.name == name
    standalone.write(bundle, here / "network.py")
    check_source((here / "network.py").read_text(), (name,))
    standalone.read_standalone(here / "network.py")
    assert not (here / "fired").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_literal_is_the_value_again(name: str) -> None:
    for value in (name, (name, 1, (0.5, None, True)), ImageSettings(stem=name)):  # type: ignore[arg-type]
        source = literal(value)
        assert source.isascii()
        assert source.isprintable()
        assert eval(source, {"ImageSettings": ImageSettings}) == value


class Sly(str):
    def __repr__(self) -> str:
        return RUNS


@pytest.mark.parametrize("value", [Sly("a"), {"a": 1}, object(), float("nan"), (Sly("a"),), own])
def test_what_is_no_plain_value_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="cannot be written into a stand-alone file"):
        literal(value)


def test_a_card_shows_names_as_text(here: Path) -> None:
    save(hostile(), here)
    _, front, body = (here / "README.md").read_text().split("---\n", 2)
    found = yaml.safe_load(front)
    assert "license" not in found
    assert found["model-index"][0]["results"][0]["dataset"]["name"] == one_line(
        "".join(NAMES[8:10])
    )
    assert body.splitlines()[1].startswith("# ")
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == 4  # the title, Use, Architecture, Training
    assert kinds.count("table_open") == 2
    assert not {"html_block", "hr"} & set(kinds)
    assert kinds.count("list_item_open") == 6  # what is done with a picture
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not {"html_inline", "link_open", "image", "em_open", "strong_open", "s_open"} & set(
        inner
    )
    seen = "\n".join("".join(child.content for child in token.children or ()) for token in tokens)
    for name in NAMES[:20]:
        assert one_line(name) in seen
    assert all(line.isprintable() for line in body.splitlines())


def test_a_picture_shows_names_as_text() -> None:
    labels = [name for name in NAMES if name.strip()]
    for name in labels:
        space = ConvCells(1, (Operation(name, own), "identity"), name)
        root = ET.fromstring(space.parse("0 0 1 1 0 1 1 0")._repr_svg_())
        assert one_line(name).replace("_", " ") in {text.text for text in root.iter() if text.text}
        assert {child.tag.rpartition("}")[2] for child in root.iter()} <= {
            "svg",
            "title",
            "rect",
            "text",
            "g",
            "path",
            "circle",
        }


def test_an_architecture_is_described_in_as_many_lines_as_ever() -> None:
    space = ConvCells(1, (Operation("a\nb\x1b[2J", own), "identity"), "x\ny")
    architecture = space.parse("0 0 1 1 0 1 1 0")
    assert len(space.describe(architecture.choices).splitlines()) == 6
    assert r"a\nb\x1b[2J(0)" in space.describe(architecture.choices)
    assert repr(architecture).isprintable()
    choices = Choices("x\ny", (Choice("w\x1b[2J", ("\u202ea", "b")),))
    assert choices.describe((0,)) == r"w\x1b[2J: \u202ea"
    with pytest.raises(InputError, match="no spaces"):
        Choices("x", (Choice("a\nb", (1, 2)),))


def test_class_folders_of_any_name_are_read_the_same_twice(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time they come from the cache."""
    from PIL import Image

    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    names = [name.replace("/", "_") for name in NAMES if name.strip() and "\0" not in name]
    names = [name for name in names if "\ud800" not in name]
    for name in names:
        folder = here / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(2):
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / f"{number}.png")
    for _ in range(2):
        assert set(load_images(here / "pictures").class_names) == {*names}


@pytest.fixture
def renamed(here: Path, exported: tuple[Path, dict[str, Check]]) -> Path:
    """A network of ten classes that are attempts, and pictures for it."""
    from PIL import Image

    network = here / "network"
    network.mkdir()
    for name in ("model.safetensors", "config.json"):
        (network / name).write_bytes((exported[0] / name).read_bytes())
    config = json.loads((network / "config.json").read_text())
    config["class_names"] = [*NAMES[12:20], NAMES[1], NAMES[9]]
    config["results"]["data"] = "a\x1b[2Jb"
    (network / "config.json").write_text(json.dumps({**config, "files": {}}))
    pixels = load_images("digits").test.images
    (here / "pictures").mkdir()
    for number in range(20):
        Image.fromarray(pixels[number, 0]).save(here / "pictures" / f"{number}\x1b[2J.png")
    return network


@pytest.mark.parametrize("command", ["predict", "evaluate", "show", "profile"])
def test_a_terminal_gets_no_commands_from_names(renamed: Path, command: str) -> None:
    more = {"predict": ["pictures", "--top", "10"], "profile": ["--no-onnx"]}
    result = CliRunner().invoke(app, [command, str(renamed), *more.get(command, [])])
    assert result.exit_code == (2 if command == "evaluate" else 0), result.output
    assert all(line.isprintable() for line in result.output.split("\n"))
    if command == "predict":
        assert len(result.stdout.splitlines()) == 21
        assert one_line(NAMES[14]) in result.stdout


def test_a_table_of_classes_is_one_line_a_class(here: Path) -> None:
    from naokit.cli.image_figures import _lines
    from naokit.images.measuring import measure

    logits, labels = np.eye(len(NAMES)), np.arange(len(NAMES))
    for names in (NAMES[:20], NAMES):  # all of them, and the worst of more
        lines = _lines(measure(logits[: len(names), : len(names)], labels[: len(names)], names))
        assert all(line.isprintable() for line in lines)


def test_a_bench_table_shows_names_as_text() -> None:
    """Its page: `tests/bench/test_compared.py`."""
    from naokit.bench.summary import markdown

    curve = {"mean": [1.0], "interval_95": [None]}
    found = {
        "seeds": 1, "standard_error": None, "failures": 0, "mean_queries_to_best": 1.0,
        "median_queries_to_best": 1, "max_queries_to_best": 1, "seconds_per_suggestion": 0.0,
        "validation": curve,
    }  # fmt: skip
    task = {"space": "a | b", "metric": "<b>bold</b>\n---"}
    summary = {"task": task, "evaluations": 1, "workers": 1, "best": 1.0, "seeds": 1,
               "methods": {"x | y": found}}  # fmt: skip
    lines = markdown(summary).splitlines()
    assert len(lines) == 5
    assert lines[-1].count("|") == lines[2].count("|")


def test_words() -> None:
    assert one_line("plain (1) é 猫") == "plain (1) é 猫"
    assert one_line("a\nb") == r"a\nb"
    assert prose("conv-small on my_data, 50.0 %") == "conv-small on my_data, 50.0 %"
    assert prose("_a_ <b>") == "&#95;a&#95; &#60;b&#62;"
    assert without_commands("a\n\tس\u200f \x1b[2J") == "a\n\tس\u200f \\x1b[2J"


def test_a_vocabulary_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(InputError, match="a token that no file can hold"):
        Vocabulary.from_json({"kind": "char", "tokens": ["<unk>", "\ud800"]})
