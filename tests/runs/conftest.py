"""What the tests of runs share."""

import pytest


@pytest.fixture(autouse=True)
def _undescribed(undescribed: None) -> None:
    """Descriptors are tested where they are made."""
