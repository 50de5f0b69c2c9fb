"""Shared by the simulations."""

from collections.abc import Iterator

import pytest
from loguru import logger


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """Months, or a hundred thousand states, of debug lines would take longer than the rest."""
    logger.disable("controller")
    yield
    logger.enable("controller")
