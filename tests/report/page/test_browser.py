"""The page in a real browser: at both widths, without errors, without a request, walked by script.

Screenshots are for people: `chromium --headless --screenshot=page.png report.html`.
"""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.report.page.reports import HOSTILE, hostile_report, hostile_study, searched, ten_thousand

from naokit.bench.compared import compared_methods
from naokit.report.page import page
from naokit.report.page.compare import comparison_page

KEPT = Path(__file__).parents[3] / "benchmarks" / "results" / "optimiser" / "c10.json"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
    "--dump-dom",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
WIDTHS = (400, 1400)
PROBE = """
const found = [...document.querySelectorAll("iframe")].map((frame) => {
  const view = frame.contentWindow, page = frame.contentDocument;
  const moves = (one) =>
    one && (view.getComputedStyle(one).overflowX === "auto" || moves(one.parentElement));
  const mark = page.querySelector("#course [data-trial]");
  mark?.dispatchEvent(new view.PointerEvent("pointerover", { bubbles: true }));
  return {
    width: view.innerWidth,
    scrolls: page.documentElement.scrollWidth,
    beyond: [...page.querySelectorAll("main *, header *")]
      .filter((one) => one.getBoundingClientRect().right > view.innerWidth + 1)
      .filter((one) => !moves(one))
      .map((one) => one.outerHTML.slice(0, 99)),
    sections: [...page.querySelectorAll("section")].map((one) => one.id),
    loaded: view.performance.getEntriesByType("resource").map((one) => one.name),
    run: view.ran ?? null,
    tip: page.getElementById("tip")?.textContent,
    same: page.querySelectorAll(".same").length,
  };
});
document.body.dataset.found = JSON.stringify(found);
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


def probed(text: str, folder: Path) -> list[dict[str, Any]]:
    """What Chromium finds of a page at both widths; its console has to be empty."""
    frames = "".join(
        f'<iframe style="width:{width}px;height:900px" srcdoc="{html.escape(text)}"></iframe>'
        for width in WIDTHS
    )
    loaded = f'<script>addEventListener("load", () => {{{PROBE}}})</script>'
    file = folder / "frames.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{loaded}", encoding="utf-8")
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'user'}", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    said = re.search(r'data-found="([^"]*)"', done.stdout)
    assert said is not None
    found: list[dict[str, Any]] = json.loads(html.unescape(said[1]))
    return found


def test_a_page_opens_without_errors_requests_or_a_word_beyond_its_edge(tmp_path: Path) -> None:
    report, space = searched(60)
    for found, width in zip(probed(page(report, space), tmp_path), WIDTHS, strict=True):
        assert (found["width"], found["beyond"], found["loaded"]) == (width, [], [])
        assert found["scrolls"] <= width
        assert {"asked", "leaders", "course", "trust", "sources", "choices", "map"} <= {
            *found["sections"]
        }


def test_a_page_of_ten_thousand_evaluations_opens(tmp_path: Path) -> None:
    for found in probed(page(*ten_thousand()), tmp_path):
        assert (found["beyond"], found["loaded"]) == ([], [])
        assert "course" in found["sections"]
        assert found["tip"].startswith("trial 0: ")


def test_pointing_at_a_mark_shows_its_words_and_the_trial_elsewhere(tmp_path: Path) -> None:
    report, space = searched(60)
    narrow, wide = probed(page(report, space), tmp_path)
    for found in (narrow, wide):
        assert re.match(r"trial \d+: ", found["tip"])
        assert found["same"] > 1


def test_a_page_of_methods_on_a_table_opens_alike(tmp_path: Path) -> None:
    for found in probed(comparison_page(compared_methods([KEPT])), tmp_path):
        assert (found["beyond"], found["loaded"]) == ([], [])
        assert found["sections"] == ["curves", "differences"]


def test_a_notebook_with_two_outputs_runs_nothing_and_stays_within_its_edges(
    tmp_path: Path,
) -> None:
    found = hostile_study()._repr_html_()
    for seen in probed(f"<!doctype html><body><main>{found}{found}</main>", tmp_path):
        assert (seen["run"], seen["loaded"], seen["beyond"]) == (None, [], [])


def test_hostile_names_run_nothing(tmp_path: Path) -> None:
    report, space = hostile_report()
    text = page(report, space)
    assert len(HOSTILE) > 5
    for found in probed(text, tmp_path):
        assert (found["run"], found["loaded"], found["beyond"]) == (None, [], [])
