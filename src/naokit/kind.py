"""What is known of a kind of data without loading any: the light half of its doors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from naokit.base import InputError, Json, unknown_name
from naokit.presets import Preset
from naokit.settings import NetworkSettings

if TYPE_CHECKING:  # these know torch, which nobody needs who only reads results
    from naokit.export.bundle import Bundle
    from naokit.subject import Subject
    from naokit.training.recipe import Recipe


class Examples(ABC):  # what there is to show differs from kind to kind
    """What a trained network does with its data, for people to judge.

    Attributes:
        section: The section of a run's page that shows it.
        title: The title of this section.
    """

    section: ClassVar[str]
    title: ClassVar[str]


class Kind(ABC):
    """A kind of data: its names, and where its doors are.

    Attributes:
        reads: What its networks read, such as "images"; a space's `reads` says the same.
        stored: The word that a network's `config.json` knows it by.
        embedded: The name of data that need no file and no network.
        sizes: The names of what a size of its networks is.
        data_sizes: The names of what `build` takes besides: these are the data's.
        options: The further parameters of commands that are about this kind alone.
        other_sizes: The sizes that a plan measures beside those of the presets.
        transfer_size: The size of a transferred network where nothing else says one.
        transfer_recipe: The recipe of a transferred network where nothing else says one.
    """

    reads: str
    stored: str
    embedded: str
    sizes: tuple[str, ...]
    data_sizes: tuple[str, ...]
    options: tuple[str, ...]
    other_sizes: Sequence[Mapping[str, Json]]
    transfer_size: Mapping[str, int]
    transfer_recipe: str

    @property
    @abstractmethod
    def presets(self) -> Mapping[str, Preset]:
        """The presets by name, from the least to the most thorough."""

    @property
    def former_presets(self) -> Mapping[str, Preset]:
        """What presets of these names were once; empty where none has changed."""
        return {}

    @property
    def shared_presets(self) -> Mapping[str, Preset]:
        """The presets of searches by weight sharing; empty where the kind has none."""
        return {}

    @property
    @abstractmethod
    def recipe_type(self) -> type[Recipe]:
        """The class of its recipes."""

    @property
    @abstractmethod
    def recipes(self) -> Mapping[str, Recipe]:
        """The recipes by name."""

    @property
    @abstractmethod
    def published_sizes(self) -> Mapping[str, Mapping[str, int]]:
        """How large the networks are that a published recipe trains, by its name."""

    @property
    @abstractmethod
    def bundle(self) -> type[Bundle]:
        """The class of its trained networks."""

    @abstractmethod
    def subject(self, data: Any, **options: Any) -> Subject:
        """Data and the size of networks.

        Args:
            data: A name or path, or the data.
            options: The fields of the kind's `Subject`.
        """

    @abstractmethod
    def settings(self, given: Mapping[str, Any]) -> NetworkSettings:
        """The sizes of a network, those that are not given at their defaults."""

    def preset(self, name: str, *, shared: bool = False) -> Preset:
        """The preset of a name; raises InputError with the nearest names.

        Args:
            name: The name of the preset.
            shared: Whether it is one of a search by weight sharing.
        """
        presets = self._presets_of(shared=shared)
        if name not in presets:
            raise unknown_name("preset", name, presets)
        return presets[name]

    def _presets_of(self, *, shared: bool) -> Mapping[str, Preset]:
        presets = self.shared_presets if shared else self.presets
        if not presets:
            raise InputError(f"there is no preset for {self.reads} that shares weights")
        return presets

    def chosen(self, name: str | None, *, shared: bool = False) -> list[Preset]:
        """The preset of a name, or all; see `preset`."""
        if name is None:
            return [*self._presets_of(shared=shared).values()]
        return [self.preset(name, shared=shared)]

    def check_own(self, given: Mapping[str, Any], space: str) -> None:
        """Raises InputError where a size is given that networks of this kind do not have.

        Args:
            given: The sizes by name.
            space: The name of the space, for the message.
        """
        mine = (*self.data_sizes[:1], *self.sizes, *self.data_sizes[1:])
        if wrong := [name for name in given if name not in mine]:
            raise InputError(
                f"the networks of {space} read {self.reads}: leave {', '.join(wrong)} out; "
                f"they take {', '.join(mine)}"
            )
