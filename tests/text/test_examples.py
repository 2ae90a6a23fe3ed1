"""A text that a language model writes for a page."""

from pathlib import Path

from naokit.export import save
from naokit.text.bundle import LanguageBundle
from naokit.text.examples import TOKENS, text_examples


def test_the_same_text_every_time(language_model: LanguageBundle, tmp_path: Path) -> None:
    save(language_model, tmp_path / "network")
    found = text_examples(tmp_path)
    assert found == text_examples(tmp_path / "network")
    assert found.tokens == TOKENS
    assert len(found.text.split()) > 50
