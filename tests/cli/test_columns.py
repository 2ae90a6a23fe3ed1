"""`--image-column` and `--label-column` on every command, kept by a run; what was read is said."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet as pq
from typer.testing import CliRunner, Result

from naokit.cli.app import app

CHOSEN = ("--image-column", "photo", "--label-column", "species")
GENOTYPE = ("0 1 1 4 0 3 1 0", "--nodes", 1)
SMALL = ("--channels", 2, "--cells", 1, "--epochs", 1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def done(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(autouse=True)
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures and photos, labels and species: 40 rows of bytes and names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    files: list[bytes] = []
    for pixels in generator.integers(0, 256, (40, 8, 8), dtype=np.uint8):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    columns = {"photo": files, "image": files, "label": [0] * 40, "species": ["owl", "tit"] * 20}
    pq.write_table(pa.table(columns), tmp_path / "birds.parquet")
    return tmp_path / "birds.parquet"


def test_a_training_keeps_them_for_all_that_comes_after(birds: Path) -> None:
    train = ("train", *GENOTYPE, "--data", birds, *SMALL, "--out", "run")
    refused = run(*train)
    assert refused.exit_code == 2
    assert "2 image columns, photo, image; choose one with --image-column photo" in refused.stderr
    result = done(*train, *CHOSEN)
    assert "pictures from column 'photo', labels from 'species'" in result.stderr
    results = json.loads(Path("run/network/config.json").read_text())["results"]
    assert (results["image_column"], results["label_column"]) == ("photo", "species")
    done(*train, *CHOSEN)  # finished already: the same data
    found = json.loads(done("evaluate", "run", "--json").stdout)
    assert [entry["name"] for entry in found["classes"]] == ["owl", "tit"]
    shutil.copy(birds, "other.parquet")
    assert run("evaluate", "run", "--data", "other.parquet").exit_code == 2
    done("evaluate", "run", "--data", "other.parquet", *CHOSEN)
    done("transfer", "run", "--data", "other.parquet", *CHOSEN, *SMALL, "--out", "moved")


def test_a_search_keeps_them(birds: Path) -> None:
    search = ("search", "--space", "conv-small", "--nodes", 1, "--evaluations", 1, "--out", "run")
    done(*search, "--no-baseline", "--no-final", "--data", birds, *CHOSEN)
    settings = json.loads(Path("run/settings.json").read_text())
    assert (settings["image_column"], settings["label_column"]) == ("photo", "species")
    done("train", "run", "--epochs", 1, "--out", "longer")


@pytest.mark.slow
def test_a_plan_names_them(birds: Path) -> None:
    plan = ("plan", "--data", birds, "--hours", 10, "--nodes", 1, "--preset", "quick", *CHOSEN)
    found = json.loads(done(*plan, "--json").stdout)
    assert " ".join(CHOSEN) in found["next"]


def test_they_are_for_images(birds: Path) -> None:
    text = ("train", "nao-rnn", "--data", "pydoc", "--label-column", "species")
    assert "--label-column is for images" in run(*text).stderr
    assert "for parquet files" in run("train", *GENOTYPE, "--data", "digits", *CHOSEN).stderr
