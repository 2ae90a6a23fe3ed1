"""The notebooks of the documentation run as they are, each in a kernel of its own."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NAMES = ("digits", "optuna-objective", "own-data-and-operation")
SHOWN = {"digits": "The best by validation accuracy", "own-data-and-operation": "nao on mine"}
"""What a study shows of itself there."""


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(place, str(tmp_path / place))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")  # tqdm's, of Optuna's bars
    notebook, here = read(name), {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=here).execute()
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    assert not [one.text for one in outputs if "Warning" in one.get("text", "")]
    pages = "".join(one.data.get("text/html", "") for one in outputs if "data" in one)
    assert SHOWN.get(name, "") in pages


def test_notebooks_are_kept_without_outputs_and_whole() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.ipynb")) == [*NAMES]
    page = (FOLDER.parent / "notebooks.md").read_text()
    for name in NAMES:
        assert f"](notebooks/{name}.ipynb)" in page
        notebook = read(name)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert [cell.id for cell in notebook.cells] == [
            f"{name}-{number}" for number in range(1, len(notebook.cells) + 1)
        ]
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code)
