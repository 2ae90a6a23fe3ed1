"""A study in its storage, as far as Optuna gives both in public."""

from __future__ import annotations

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from naokit.base import Json

SETTINGS = "naokit"
"""The study's attribute that holds its settings."""


class Stored:
    """An Optuna study, its storage, and what identifies study and trials there.

    Attributes:
        study: The Optuna study.
        storage: The storage that holds it.
        id: The number of the study in the storage.
    """

    def __init__(self, study: optuna.Study, storage: BaseStorage) -> None:
        self.study = study
        self.storage = storage
        self.id = storage.get_study_id_from_name(study.study_name)

    @property
    def settings(self) -> dict[str, Json]:
        """What naokit made the study with."""
        settings: dict[str, Json] = self.study.user_attrs[SETTINGS]
        return settings

    def trials(self) -> list[FrozenTrial]:
        """All trials as they are now."""
        return self.study.get_trials(deepcopy=False)

    def id_of(self, frozen: FrozenTrial) -> int:
        """The number of a trial in the storage, which other studies share."""
        return self.storage.get_trial_id_from_study_id_trial_number(self.id, frozen.number)

    def make(self, template: FrozenTrial) -> FrozenTrial:
        """Makes a trial like the template."""
        return self.storage.get_trial(self.storage.create_new_trial(self.id, template))
