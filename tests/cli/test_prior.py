"""`naokit search --prior FILE`: read, recorded, and refused in one line with nothing written."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.cli.prior_file import read_prior

SEARCH = ("search", "--space", "choices", "--table", "t.csv", "--metric", "acc")
COLUMNS = ("--architecture-column", "width,kind", "--out", "run", "--evaluations")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def search(evaluations: int, *more: str) -> Result:
    return run(*SEARCH, *COLUMNS, evaluations, *more)


@pytest.fixture(autouse=True)
def _a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n},{kind},{n * n % 7}\n" for n in range(9) for kind in "ab")
    Path("t.csv").write_text("width,kind,acc\n" + rows)
    Path("good.yaml").write_text("width: {3: 5, 4.0: 2}\nkind:\n  a: 0.5\n")


def test_the_prior_is_in_the_run_and_the_same_command_continues(tmp_path: Path) -> None:
    assert search(4, "--prior", "good.yaml").exit_code == 0
    recorded = json.loads(Path("run/settings.json").read_text())["prior"]
    assert recorded == {"width": {"3": 5.0, "4.0": 2.0}, "kind": {"a": 0.5}}
    assert f"prior: {tmp_path / 'good.yaml'}" in Path("run/run.yaml").read_text()
    assert run("search", "--config", "run/run.yaml", "--evaluations", 6).exit_code == 0
    changed = search(8)
    assert changed.exit_code == 2
    assert "prior was {'width': {'3': 5.0, '4': 2.0}" in changed.output


def test_json_is_read_too() -> None:
    Path("good.json").write_text('{"width": {"3": 5, "4": 2e0}}')
    assert read_prior(Path("good.json")) == {"width": {"3": 5.0, "4": 2.0}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("widht: {3: 2}", "--prior: there is no choice 'widht'; did you mean width"),
        ("width: {33: 2}", "--prior: there is no option of width '33'; did you mean 3"),
        ("width: {3: -2}", "--prior: width has the weight -2.0 of 3"),
        ("width: {3: .inf}", "--prior: width has the weight '.inf' of 3"),
        ("width: {3: 1_0}", "--prior: width has the weight '1_0' of 3"),
        ("kind: {a: 0, b: 0}", "--prior: every option of kind weighs 0"),
        ("width: {3: 1, 3.0: 2}", "--prior: width has two weights of 3"),
        ("width: {}", "--prior: width has no weights"),
        ("{}", "--prior: it holds no weights"),
        ("", "bad.yaml holds no weights"),
        ("- width", "bad.yaml holds no weights"),
        ("kind: {a: 1}\nwidth: 3", "bad.yaml, line 2: expected weights"),
        ("width: {3: [1]}", "bad.yaml, line 1: expected one number"),
        ("width: {3: 1, 3: 2}", "bad.yaml, line 1: expected a name that is not there yet"),
        ("width: {", "bad.yaml is no YAML"),
        ("[" * 5000, "bad.yaml is no YAML"),
    ],
)
def test_bad_files_are_refused_in_one_line_and_nothing_is_written(text: str, said: str) -> None:
    Path("bad.yaml").write_text(text)
    result = search(4, "--prior", "bad.yaml")
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("run").exists()


def test_a_bad_file_loses_nothing_of_a_run_that_is_there() -> None:
    assert search(4, "--prior", "good.yaml").exit_code == 0
    before = Path("run/settings.json").read_text()
    Path("bad.yaml").write_text("width: {3: -1}")
    assert search(6, "--prior", "bad.yaml").exit_code == 2
    assert Path("run/settings.json").read_text() == before
    assert search(6, "--prior", "good.yaml").exit_code == 0


def test_a_method_that_takes_none_says_so() -> None:
    result = search(4, "--prior", "good.yaml", "--method", "evolution")
    assert result.exit_code == 2
    assert "the method evolution takes no prior: leave --prior out" in result.output
    assert not Path("run").exists()
