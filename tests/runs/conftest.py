"""What the tests of runs share."""

import pytest


@pytest.fixture(autouse=True)
def _quick(undescribed: None, few_digits: None) -> None:
    """Descriptors are tested where they are made; how well is learnt is no business of a run."""
