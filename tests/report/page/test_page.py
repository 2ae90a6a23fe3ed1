"""The page of a report: whole, readable by all, with no number of its own and nothing run."""

import html
import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.report.page.reader import Reader, contrast
from tests.report.page.reports import HOSTILE, hostile_report, searched, ten_thousand

from naokit.images.examples import ImageExamples
from naokit.images.measuring import measure
from naokit.report.contents import OwnTrainings
from naokit.report.page import page
from naokit.report.page.environment import TEMPLATES
from naokit.report.run_report import Final
from naokit.study.trust import Trust
from naokit.text.examples import TextExamples
from naokit.wording import one_line


@pytest.fixture(scope="module")
def read() -> Reader:
    return Reader(page(*searched(60)))


def test_a_page_loads_nothing(read: Reader) -> None:
    for tag, attributes in read.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "srcset", "xlink:href", "action", "style", "onload"} & {*attributes}
        assert (attributes.get("href") or "#").startswith("#")
    policy = read.named("meta")[1]["content"] or ""
    assert policy.startswith("default-src 'none'")
    assert "url(" not in page(*searched(60))


def test_headings_are_in_order_and_every_part_has_a_name(read: Reader) -> None:
    assert read.named("html")[0]["lang"] == "en"
    assert len(read.named("h1")) == len(read.named("main")) == 1
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    names = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(names) == len({*names})
    links = {attributes["href"] for attributes in read.named("a")}
    assert {f"#{attributes['id']}" for attributes in read.named("section")} <= links


def test_tables_have_captions_and_headers_with_scope(read: Reader) -> None:
    assert len(read.named("table")) == len(read.named("caption")) > 5
    assert all(one.get("scope") in {"row", "col"} for one in read.named("th"))


def test_figures_have_names_and_each_ending_a_shape_of_its_own(read: Reader) -> None:
    figures = [one for one in read.named("svg") if one.get("role") == "img"]
    assert all(one.get("aria-label") or one.get("viewbox") for one in figures)
    marks = {one["class"] for one in read.named("path") if "data-trial" in one}
    assert any("failed cross" in mark for mark in marks)
    assert any("again ring" in mark for mark in marks)
    assert "failed" in "".join(read.words)


def leaves(value: object) -> set[float]:
    """Every number within a value of JSON."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()), *map(leaves, value))
    if isinstance(value, list | tuple):
        return set().union(*map(leaves, value)) if value else set()
    return {float(value)} if isinstance(value, int | float) else set()


def test_every_number_of_a_page_is_one_that_json_prints(read: Reader) -> None:
    report, _ = searched(60)
    known = leaves(json.loads(json.dumps(report.to_json(), allow_nan=False)))
    total = sum(one.seconds for one in report.course.evaluations)
    counts = {float(len(one.values)) for one in report.shown.overview.standings}
    shown = [float(one["value"] or "nan") for one in read.named("data")]
    assert len(shown) > 300
    unknown = [value for value in shown if value not in known | counts | {total}]
    assert unknown == []


def test_the_words_of_marks_say_what_json_says(read: Reader) -> None:
    report, _ = searched(60)
    said = {one.trial: one.value for one in report.course.evaluations}
    words = [one for one in read.words if re.match(r"trial \d+: (measured )?\d", one)]
    assert len(words) > 100
    for one in words:
        found = re.match(r"trial (\d+): (?:measured )?([\d.]+)", one)
        assert found is not None
        values = {
            f"{value:.2f}"
            for place in report.model.map.places
            if place.trial == int(found[1])
            for value in (place.value, said[place.trial])
        }
        repeated = f"{said[int(found[1])]:.2f}"
        assert found[2] in values | {repeated}


def test_scores_by_shared_weights_are_not_compared_with_those_of_other_rounds() -> None:
    report, space = searched(60)
    assert report.found is not None
    assert "not compare" not in page(report, space)
    first, *others = report.course.evaluations
    rescored = replace(first, ending="again", origin="rescored")
    own = OwnTrainings("accuracy by itself", (), (), Trust((), None, 0))
    shared = replace(
        report,
        course=replace(report.course, evaluations=(rescored, *others), improvements=()),
        found=replace(report.found, own=own),
        random=None,
    )
    words = " ".join(" ".join(Reader(page(shared, space)).words).split())
    assert "scores of different rounds do not compare: there is no line" in words
    assert "Later rounds score higher" in words
    assert "accuracy by itself; trained by itself" in words


def test_a_training_that_was_cut_is_not_called_trained_to_the_end() -> None:
    report, space = searched(60)
    final = Final("accuracy, percent", (), {"test": 40.0}, 9, "short", (), "0.16 of 6 epochs")
    words = Reader(page(replace(report, final=final), space)).words
    text = " ".join(" ".join(words).split())
    assert "Trained 0.16 of 6 epochs, test" in text
    assert "Recipe short, cut after 0.16 of 6 epochs: test 40.00" in text
    assert "to the end" not in text
    whole = Reader(page(replace(report, final=replace(final, cut=None)), space)).words
    assert "Trained to the end, test" in " ".join(whole)


def test_hostile_names_are_shown_as_text() -> None:
    read = Reader(page(*hostile_report()))
    assert len(read.named("script")) == len(read.named("style")) == 1
    assert not read.named("b")
    pictures = [str(one["src"]) for one in read.named("img")]
    assert len(pictures) == 1
    assert pictures[0].startswith("data:image/png;base64,")
    assert not any(name.startswith("on") for _, one in read.tags for name in one)
    words = "".join(read.words)
    for name in HOSTILE:
        assert all(one_line(line) in words for line in name.split("\n"))
    assert "\u202e" not in words
    assert "49" not in "".join(w for w in read.words if "7 * 7" in w)


def test_a_live_page_loads_itself_again() -> None:
    report, space = searched(60)
    assert '<meta http-equiv="refresh" content="5">' in page(report, space, refresh=5)
    assert 'http-equiv="refresh"' not in page(report, space)


def test_a_page_of_many_evaluations_draws_some_and_says_so() -> None:
    text = page(*ten_thousand())
    assert len(text) < 2_000_000
    assert "Of 10,000 evaluations 2,000 are drawn" in html.unescape(re.sub(r"\s+", " ", text))


def test_a_text_that_a_network_wrote_is_text() -> None:
    report, space = searched(60)
    text = page(replace(report, examples=TextExamples("<b>one</b>\ntwo", 3, 0.8, 0)), space)
    assert "<blockquote>&lt;b&gt;one&lt;/b&gt;\ntwo</blockquote>" in text


def test_of_many_classes_the_most_frequent_confusions_are_shown() -> None:
    logits = np.eye(30)[np.arange(30) % 29]  # the last is taken for the first
    measured = measure(logits, np.arange(30), [f"class {n}" for n in range(30)])
    report, space = searched(60)
    text = page(replace(report, examples=ImageExamples("d", "test", measured, ())), space)
    words = re.sub(r"<[^>]*>", " ", text)
    assert re.search(
        r"The most frequent confusions of 30 classes.*class 29\s+class 0\s+1", words, re.DOTALL
    )


def test_text_has_contrast_on_every_ground_in_light_and_dark() -> None:
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    for theme in style.split(":root {")[1:3]:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme.partition("}")[0]))
        for text in ("ink", "soft", "accent", "second", "third", "fourth"):
            for ground in ("back", "card"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
