"""Text as a kind of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from naokit.kind import Kind
from naokit.presets import Preset
from naokit.settings import LanguageSettings
from naokit.text import presets

if TYPE_CHECKING:
    from naokit.text.bundle import LanguageBundle
    from naokit.text.recipes import TextRecipe
    from naokit.text.subject import TextSubject


class Text(Kind):
    """Text, for language models."""

    reads = "text"
    stored = "language"
    embedded = "pydoc"
    sizes = ("hidden",)
    data_sizes = ("vocabulary",)
    options = ("tokens", "final_hidden")
    other_sizes = ({"hidden": 50}, {"hidden": 100}, {"hidden": 200})
    transfer_size = {"hidden": 200}  # noqa: RUF012  a constant of the class
    transfer_recipe = "text-small-final"

    @property
    def presets(self) -> Mapping[str, Preset]:
        """The presets by name, from the least to the most thorough."""
        return presets.PRESETS

    @property
    def shared_presets(self) -> Mapping[str, Preset]:
        """The presets of searches by weight sharing."""
        return presets.SHARED

    @property
    def recipe_type(self) -> type[TextRecipe]:
        """The class of its recipes."""
        from naokit.text.recipes import TextRecipe

        return TextRecipe

    @property
    def recipes(self) -> Mapping[str, TextRecipe]:
        """The recipes by name."""
        from naokit.text.recipes import RECIPES

        return RECIPES

    @property
    def published_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """H of the networks that a published recipe trains."""
        from naokit.text.recipes import PUBLISHED_SIZES

        return PUBLISHED_SIZES

    @property
    def bundle(self) -> type[LanguageBundle]:
        """Trained language models."""
        from naokit.text.bundle import LanguageBundle

        return LanguageBundle

    def subject(self, data: Any, **options: Any) -> TextSubject:
        """Text for a language model."""
        from naokit.text.subject import TextSubject

        return TextSubject(data, **options)

    def settings(self, given: Mapping[str, Any]) -> LanguageSettings:
        """Sizes of a language model."""
        return LanguageSettings(**given)


TEXT = Text()
