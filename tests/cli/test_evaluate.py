"""`naokit evaluate`, `predict` and `export` as a user runs them."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from naokit.cli import image_figures
from naokit.cli.app import app
from naokit.export import Check, Results, save
from naokit.images.bundle import ImageBundle as Bundle
from naokit.images.loading import load_images

Exported = tuple[Path, dict[str, Check]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five digits as grey pictures of their own size."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, pixels in enumerate(load_images("digits").test.images[:5]):
        Image.fromarray(pixels[0]).save(folder / f"{number}.png")
    return folder


def refused(result: Result, message: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["", "model.onnx", "model-int8.onnx", "model.pt2"])
def test_every_form_of_a_network_is_measured(exported: Exported, name: str) -> None:
    result = run("evaluate", exported[0] / name, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["data"], found["split"], found["images"]) == ("digits", "test", 447)
    recorded = json.loads((exported[0] / "config.json").read_text())["results"]["test_accuracy"]
    assert found["accuracy"] == pytest.approx(recorded, abs=0 if name == "" else 10)
    assert sum(map(sum, found["confusion"])) == 447
    assert [entry["name"] for entry in found["classes"]] == [str(n) for n in range(10)]


def test_what_a_person_reads(exported: Exported) -> None:
    result = run("evaluate", exported[0], "--split", "validation", "--batch", "64")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"{exported[0]} on digits, validation part, 450 images"
    for start in ("accuracy", "top-5", "calibration"):
        assert any(line.startswith(start) for line in lines)
    (row,) = [line for line in lines if line.startswith(" 7  7 ")]
    assert len(row.split()) == 5 + 10  # label, name, images, share, %, one a class


def test_a_run_is_measured_by_its_folder(exported: Exported, tmp_path: Path) -> None:
    shutil.copytree(exported[0], tmp_path / "run" / "network")
    assert "test part, 447 images" in run("evaluate", "run").stdout


def test_of_many_classes_the_worst_are_shown(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_figures, "TABLE", 9)
    shown = run("evaluate", exported[0]).stdout
    assert "The 10 hardest of 10 classes (--json has all):" in shown
    assert " taken for " in shown


def arrays(path: Path, classes: int, side: int = 8) -> Path:
    images = np.zeros((4 * classes, side, side), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(4 * classes) % classes)
    return path


def test_data_that_does_not_fit_is_refused(exported: Exported, tmp_path: Path) -> None:
    folder = exported[0]
    few = arrays(tmp_path / "few.npz", 3)
    refused(run("evaluate", folder, "--data", few), "class 3 is absent in the data and '3' in")
    large = arrays(tmp_path / "large.npz", 10, side=9)
    refused(run("evaluate", folder, "--data", large), "images of 1 x 9 x 9 (channels, height, wid")
    other = run("evaluate", folder, "--data", "pydoc")
    refused(other, "pydoc holds text; the network reads images: give other data, or digits")
    refused(run("evaluate", folder, "--split", "tests"), "there is no part 'tests'; expected test")
    fits = arrays(tmp_path / "fits.npz", 10)
    refused(run("evaluate", folder, "--data", fits, "--split", "test"), "has no test part")
    assert "validation part" in run("evaluate", folder, "--data", fits).stdout


def test_a_network_whose_data_is_gone_asks_for_it(trained: Bundle, tmp_path: Path) -> None:
    for remembered, message in (
        (
            {"data": "gone.npz"},
            "the network learnt from gone.npz: there is no file or folder 'gone.npz'; ",
        ),
        ({}, "does not say what it learnt from; give --data"),
    ):
        bundle = replace(trained, results=Results(trained.metric, data=remembered))
        save(bundle, tmp_path / "network")
        refused(run("evaluate", "network"), message)
    assert run("evaluate", "network", "--data", "digits").exit_code == 0


def test_classes_in_another_order_are_refused(
    trained: Bundle, exported: Exported, tmp_path: Path
) -> None:
    names = ("1", "0", *trained.class_names[2:])
    save(Bundle(**{**vars(trained), "class_names": names}), tmp_path / "network")
    refused(run("evaluate", "network"), "class 0 is '0' in the data and '1' in the network")


@pytest.mark.parametrize("name", ["", "model.onnx"])
def test_pictures_are_classified_as_the_data_is(
    exported: Exported, pictures: Path, name: str
) -> None:
    result = run("predict", exported[0] / name, pictures, "--top", 3)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert list(rows[0]) == [
        *("file", "label", "probability"),
        *("label2", "probability2", "label3", "probability3"),
    ]
    assert [row["file"] for row in rows] == [str(pictures / f"{n}.png") for n in range(5)]
    assert "5 pictures classified" in result.stderr
    assert "scaled" not in result.stderr
    for row in rows:
        assert float(row["probability"]) >= float(row["probability2"]) >= 0


def test_other_sizes_and_colours_are_fitted_and_said(
    exported: Exported, pictures: Path, tmp_path: Path
) -> None:
    with Image.open(pictures / "0.png") as image:
        wide = Image.new("RGB", (48, 24))  # the digit in the centre, three times as large
        wide.paste(image.resize((24, 24), Image.Resampling.NEAREST).convert("RGB"), (12, 0))
        wide.save(tmp_path / "wide.png")
    result = run("predict", exported[0], "wide.png", pictures / "0.png")
    assert "1 scaled to 8 x 8 (height, width): shorter side, then the centre" in result.stderr
    assert "1 made grey" in result.stderr
    large, small = list(csv.DictReader(result.stdout.splitlines()))
    assert large["label"] == small["label"]
    assert float(large["probability"]) == pytest.approx(float(small["probability"]), abs=0.1)


def test_a_picture_that_cannot_be_read(exported: Exported, pictures: Path) -> None:
    (pictures / "2.png").write_bytes((pictures / "2.png").read_bytes()[:60])
    bad = run("predict", exported[0], pictures, "--out", "p.csv")
    refused(bad, f"{pictures / '2.png'} cannot be decoded as an image")
    assert "leave such pictures out with --skip-bad" in bad.stderr
    assert not Path("p.csv").exists()
    good = run("predict", exported[0], pictures, "--out", "p.csv", "--skip-bad")
    assert good.exit_code == 0, good.output
    assert len(Path("p.csv").read_text().splitlines()) == 1 + 4
    assert good.stdout == ""
    for words in ("4 pictures classified", "1 left out:", "2.png cannot be decoded", "saved in p"):
        assert words in good.stderr


def test_predictions_are_not_overwritten(exported: Exported, pictures: Path) -> None:
    Path("p.csv").write_text("precious")
    refused(run("predict", exported[0], pictures, "--out", "p.csv"), "p.csv exists already")
    assert Path("p.csv").read_text() == "precious"
    assert run("predict", exported[0], pictures, "--out", "p.csv", "--force").exit_code == 0
    assert Path("p.csv").read_text().startswith("file,label,probability\n")


def test_predictions_as_one_object(exported: Exported, pictures: Path) -> None:
    found = json.loads(run("predict", exported[0], pictures, "--json", "--top", 2).stdout)
    rows = found["predictions"]
    assert (found["out"], found["pictures"], len(rows)) == (None, 5, 5)
    assert list(found["classes"]) == [str(n) for n in range(10)]
    assert found["classes"][rows[0]["labels"][0]] > 0
    assert sum(found["classes"].values()) == 5
    assert rows[0]["probabilities"][0] >= rows[0]["probabilities"][1]
    written = run("predict", exported[0], pictures, "--json", "--out", "p.csv")
    (line,) = written.stdout.splitlines()
    assert json.loads(line) == {**found, "out": "p.csv", "predictions": None}
    assert len(Path("p.csv").read_text().splitlines()) == 1 + 5


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
def test_a_file_without_its_config_says_where_it_must_lie(
    exported: Exported, tmp_path: Path, name: str
) -> None:
    shutil.copy(exported[0] / name, tmp_path)
    refused(run("evaluate", name), f"{name} does not say what goes in and what comes out: it must")


def test_what_is_asked_of_predict_is_checked(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(run("predict", exported[0], "empty"), "empty holds no pictures; expected .bmp")
    refused(run("predict", exported[0], "absent.png"), "there is no file or folder absent.png")
    Image.new("L", (8, 8)).save("a.png")
    refused(run("predict", exported[0], "a.png", "--top", 11), "--top is 11; the network has 10 cl")


def test_export_does_not_replace_another_network(
    trained: Bundle, exported: Exported, tmp_path: Path
) -> None:
    network = trained.architecture.space.build(trained.architecture, trained.settings).eval()
    save(Bundle(**{**vars(trained), "network": network}), tmp_path / "other")
    arguments = ("export", exported[0], "--format", "safetensors", "--out", "other")
    refused(run(*arguments), "other holds another network (its weights are others")
    done = run(*arguments, "--force")
    assert done.exit_code == 0, done.output
    assert "model.safetensors  equal bit for bit" in done.stdout
    again = run(*arguments, "--json")  # now it is the same network
    (check,) = json.loads(again.stdout)["exports"]
    assert (check["file"], check["difference"]) == ("other/model.safetensors", 0)


def test_export_prints_what_was_checked(trained: Bundle, tmp_path: Path) -> None:
    save(replace(trained, results=Results(trained.metric)), tmp_path / "network")
    result = run("export", "network", "--format", "python", "--format", "int8")
    assert result.exit_code == 2
    assert "network.py         equal bit for bit" in result.stdout
    assert "error: int8 needs images" in result.stderr


@pytest.mark.parametrize(
    ("name", "option"), [("evaluate", "--split"), ("predict", "--out"), ("export", "--out")]
)
def test_help_says_every_default(name: str, option: str) -> None:
    """Square brackets would be read as markup and vanish."""
    shown = run(name, "--help").stdout
    assert "default:" in shown.partition(option)[2].partition(" --")[0]
