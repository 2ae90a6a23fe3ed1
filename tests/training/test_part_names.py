"""Names of parts are recognised in any spelling, and not where they are names of classes."""

import pytest

from naokit.base import InputError
from naokit.training.part_names import files_by_part, folders_by_part, told


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (
            "train",
            "train Train TRAINING training_set train-images images_train imgTrain trainset "
            "TrainData train2017 trainval 01_train trainingset",
        ),
        (
            "validation",
            "val Valid validation validation_set dev eval Evaluation val2017 valSet dev-images",
        ),
        ("test", "test Testing TEST tests test_set test-images testdata imagesTest test.v2"),
        (None, "trains trainer contest latest valve device retrain strain toaster data images"),
    ],
)
def test_a_name_tells_of_a_part(part: str | None, names: str) -> None:
    assert {name: told(name).part for name in names.split()} == dict.fromkeys(names.split(), part)


def test_words_may_be_apart_in_any_way() -> None:
    assert told("TRAINING SET").part == told("  Training.Set ").part == "train"
    assert told("train test split").part is None
    assert told("wiki.train.tokens") == ("train", "train", ("wiki", "tokens"))


def test_a_class_may_be_called_as_a_part_is() -> None:
    assert folders_by_part(["steam train", "plane"]) == {}
    assert folders_by_part(["steam train", "model train"]) == {}
    assert folders_by_part(["birds_train", "birds_test", "maps"]) == {
        "train": ["birds_train"],
        "test": ["birds_test"],
    }
    assert folders_by_part(["train", "test", "testing"])["test"] == ["test", "testing"]


def test_files_are_told_by_their_names_or_folders() -> None:
    names = ["data/train-0.parquet", "data/train-1.parquet", "data/test-0.parquet", "about.parquet"]
    parts = {"train": names[:2], "test": names[2:3]}
    assert files_by_part("set", names) == (parts, names[3:])
    shards = ["train.parquet/part-0.parquet", "train.parquet/part-1.parquet"]
    assert files_by_part("set", shards) == ({"train": shards}, [])


@pytest.mark.parametrize(
    "names",
    [
        ["val-0.parquet", "valid-0.parquet"],
        ["en/train-0.parquet", "de/train-0.parquet"],
        ["test/0.parquet", "testing/0.parquet"],
    ],
)
def test_files_that_may_be_the_same_part_are_named(names: list[str]) -> None:
    with pytest.raises(InputError, match=f"set has two files for .*{names[0]} and {names[1]}"):
        files_by_part("set", names)
