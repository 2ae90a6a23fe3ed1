"""The picture of the README and the first page: what the command draws of a recorded run."""

import json
import re
from xml.etree import ElementTree

import pytest
from benchmarks.picture import DARK, LIGHT, NAME, PICTURE, picture
from benchmarks.record import RESULTS
from tests.report.page.reader import contrast

RECORD = json.loads((RESULTS / f"{NAME}.json").read_text())
DRAWN = PICTURE.read_text(encoding="utf-8")


def test_the_command_draws_what_is_there() -> None:
    assert picture(RECORD) == DRAWN


def test_it_is_text_and_loads_nothing() -> None:
    root = ElementTree.fromstring(DRAWN)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "g", "path", "rect", "circle", "text"}
    said = " ".join(root.itertext())
    assert f"{RECORD['scores']['test']:.2f} %" in said
    assert RECORD["verdict"] in said
    assert not re.search(r"@font-face|@import|url\(|href|javascript|on\w+=", DRAWN)
    assert len(DRAWN) < 30_000


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("name", ["ink", "soft", "accent", "second"])
def test_it_reads_on_its_own_card_in_light_and_in_dark(palette: dict[str, str], name: str) -> None:
    assert contrast(palette["card"], palette[name]) > 4.5


@pytest.mark.parametrize(("page", "place"), [("README.md", "docs/"), ("docs/index.md", "")])
def test_it_is_shown(page: str, place: str) -> None:
    text = (PICTURE.parents[1] / page).read_text(encoding="utf-8")
    assert re.search(rf"!\[[^\]]{{20,}}\]\({place}picture\.svg\)", text)
