"""Workflows and hooks are pinned, ask for little, and call what `make` knows."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(), yaml.BaseLoader)  # `on` is no truth here
    return found


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}.{name}", job)
        for file in WORKFLOWS
        for name, job in read(file)["jobs"].items()
    ]


def test_there_are_the_three_workflows() -> None:
    assert [file.stem for file in WORKFLOWS] == ["docs", "release", "test"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_by_commit_with_their_tag_beside_it(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    assert used
    assert [u for u in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", u)] == []


def test_an_action_is_the_same_commit_in_all_workflows() -> None:
    used = {use for file in WORKFLOWS for use in re.findall(r"uses: (.*)", file.read_text())}
    assert len(used) == len({use.partition("@")[0] for use in used})


def test_only_the_two_jobs_that_publish_may_more_than_read() -> None:
    assert all(read(file)["permissions"] == {"contents": "read"} for file in WORKFLOWS)
    more = {name: job["permissions"] for name, job in jobs() if "permissions" in job}
    assert more == {
        "docs.deploy": {"pages": "write", "id-token": "write"},
        "release.publish": {"id-token": "write"},
    }
    for name in more:  # these run no code of the repository or its dependencies
        assert all("run" not in step for step in dict(jobs())[name]["steps"])


def test_every_job_ends() -> None:
    assert all(int(job["timeout-minutes"]) <= 90 for _, job in jobs())


def test_workflows_call_what_make_knows() -> None:
    steps = [step["run"] for _, job in jobs() for step in job["steps"] if "run" in step]
    called = [word for run in steps if run.startswith("make ") for word in run.split()[1:]]
    assert {word for word in called if "=" not in word} == {"test", "docs", "dist"} <= TARGETS


def test_the_pythons_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [c.rpartition(" ")[2] for c in project["classifiers"] if ":: Python :: 3." in c]
    job = dict(jobs())["test.test"]
    assert job["strategy"]["matrix"]["python"] == named


def test_hooks_are_the_checks_of_make_test() -> None:
    checks = re.search(r"^CHECKS := (.*)", MAKEFILE, re.MULTILINE)
    assert checks is not None
    (local,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    assert hooks == {name: f"make {name}" for name in checks[1].split()}


def test_what_make_help_and_contributing_name_is_there() -> None:
    told = re.findall(r'@echo "make ([a-z| -]+?)  ', MAKEFILE)
    told += re.findall(r"^make ([a-z|]+) ", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert {word for line in told for word in line.split(" | ")} <= TARGETS


def test_issues_begin_from_a_form_and_faults_of_security_from_a_private_page() -> None:
    assert [file.stem for file in FORMS] == ["bug", "config", "idea"]
    config = read(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml")
    assert config["blank_issues_enabled"] == "false"
    assert config["contact_links"][0]["url"].endswith("/security/advisories/new")


def test_a_pull_request_has_five_things_to_look_at() -> None:
    lines = (ROOT / ".github" / "pull_request_template.md").read_text().splitlines()
    assert [line[:6] for line in lines] == ["- [ ] "] * 5
