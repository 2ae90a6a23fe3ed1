"""Searches that stop early: on a table of curves, on the digits, and what is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.images.presets import ImagePreset

EPOCHS = 9
TABLE = ("--space", "choices", "--table", "t.csv", "--architecture-column", "width,kind")
METRIC = ("--metric", f"acc_{EPOCHS}", "--curve-columns", f"acc_1..acc_{EPOCHS}")
TINY = ("--space", "conv-small", "--nodes", 1, "--no-baseline", "--no-final")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(autouse=True)
def _a_table_of_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    epochs = range(1, EPOCHS + 1)
    lines = [",".join(["width", "kind", *(f"acc_{epoch}" for epoch in epochs)])]
    for width in range(12):
        for kind in range(4):
            values = (f"{50 + width * epoch / 3 - kind}" for epoch in epochs)
            lines.append(",".join([str(width), "abcd"[kind], *values]))
    Path("t.csv").write_text("\n".join(lines) + "\n")


def test_a_search_on_a_table_stops_early_and_says_so() -> None:
    found = run(
        "search", *TABLE, *METRIC, "--pruner", "asha", "--epochs-in-all", 90, "--out", "run"
    )
    assert found.exit_code == 0, found.output
    report = json.loads(Path("run/report.json").read_text())
    assert 90 <= report["epochs"] < 90 + EPOCHS
    assert 0 < report["stopped"] < report["evaluations"]
    said = f"{report['evaluations']} evaluations (0 failed, {report['stopped']} stopped early; "
    assert said + f"{report['epochs']} epochs in all)" in found.stdout
    shown = run("show", "run")
    assert said + f"{report['epochs']} epochs in all)" in " ".join(shown.stdout.split())
    again = run("search", "--config", "run/run.yaml", "--epochs-in-all", 120)
    assert again.exit_code == 0, again.output
    assert json.loads(Path("run/report.json").read_text())["epochs"] >= 120


def test_without_a_pruner_every_evaluation_is_whole() -> None:
    found = run("search", *TABLE, *METRIC, "--evaluations", 5, "--out", "run")
    assert found.exit_code == 0, found.output
    assert "5 evaluations (0 failed)" in found.stdout
    assert "stopped" not in json.loads(Path("run/report.json").read_text())


@pytest.mark.slow
def test_a_search_on_the_digits_stops_early_as_its_preset_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny = ImagePreset("tiny", 3, "quick", 1, 2, False, "quick", 2, 1, 2, 1, pruner="asha")
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"tiny": tiny})
    found = run("search", *TINY, "--preset", "tiny", "--out", "run")
    assert found.exit_code == 0, found.output
    report = json.loads(Path("run/report.json").read_text())
    assert 9 <= report["epochs"] <= 11  # those of three whole trainings
    assert report["stopped"] > 0
    assert not Path("run/trials").exists()
    plan = json.loads(Path("run/settings.json").read_text())
    assert (plan["pruner"], plan["epochs"]) == ("asha", 9)
    assert run("search", *TINY, "--preset", "tiny", "--no-stop", "--out", "whole").exit_code == 0
    assert "stopped" not in json.loads(Path("whole/report.json").read_text())


def test_methods_with_pruners_are_compared_by_epochs() -> None:
    methods = ("--methods", "random,random+asha,nao+median", "--seeds", 2, "--evaluations", 6)
    found = run("bench", *TABLE, *METRIC, *methods, "--out", "bench", "--json")
    assert found.exit_code == 0, found.output
    rows = [json.loads(line) for line in Path("bench/runs.jsonl").read_text().splitlines()]
    assert {row["method"] for row in rows} == {"random", "random+asha", "nao+median"}
    assert all(len(row["values"]) <= 6 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*METRIC, "--pruner", "ahsa"), "there is no pruner 'ahsa'; did you mean asha"),
        ((*METRIC, "--pruner", "asha", "--no-stop"), "--no-stop stops nothing and --pruner asha"),
        ((*METRIC, "--epochs-in-all", 90), "--epochs-in-all counts what evaluations report"),
        (
            (*METRIC, "--pruner", "asha", "--epochs-in-all", 8),
            "--epochs-in-all is 8, fewer than the 9 of one evaluation",
        ),
        (("--metric", "acc_9", "--pruner", "asha"), "--pruner stops evaluations that report"),
        (("--metric", "acc_9", "--curve-columns", "acc_1,acc_10"), "has no column 'acc_10'"),
        (("--metric", "acc_9", "--curve-columns", "acc_3,acc_2"), "acc_2 after epoch 3; expected"),
        (("--metric", "acc_9", "--curve-columns", "width,kind"), "width after epoch 0; expected"),
        (("--metric", "acc_9", "--curve-columns", "acc_9..acc_1"), "acc_9..acc_1: expected NAME1"),
        (("--metric", "acc_9", "--curve-columns", "acc_1..b_9"), "acc_1..b_9: expected NAME1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: tuple[object, ...], said: str) -> None:
    result = run("search", *TABLE, *arguments, "--out", "run")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("run/settings.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*TINY, "--pruner", "asha", "--epochs-in-all", 2), "fewer than the 9 of one evaluation"),
        (("--evaluator", "supernet", "--pruner", "asha"), "--pruner stops evaluations that report"),
        (
            (*TINY, "--objective", "accuracy", "--objective", "parameters", "--pruner", "asha"),
            "leave it out where there are several objectives",
        ),
        ((*TINY, "--curve-columns", "a_1..a_3"), "--curve-columns is for a search that looks"),
    ],
)
def test_searches_on_data_too(arguments: tuple[object, ...], said: str) -> None:
    result = run("search", *arguments, "--out", "run")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not Path("run/settings.json").exists()


def test_a_bench_without_curves_has_no_pruner() -> None:
    result = run("bench", *TABLE, "--metric", "acc_9", "--methods", "nao+asha", "--out", "bench")
    assert result.exit_code == 2
    assert "nao+asha: a pruner needs --curve-columns" in result.stderr
    beside = ("--methods", "nao+asha", "--workers", 2, "--out", "bench")
    result = run("bench", *TABLE, *METRIC, *beside)
    assert result.exit_code == 2
    assert "nao+asha: a search that stops early is counted in epochs: give one worker" in (
        result.stderr
    )
