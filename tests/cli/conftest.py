"""Commands set the log up for themselves; what runs after their tests has the default again."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def default_log() -> Iterator[None]:
    """Take back where a command has sent the log: that file is pytest's, and closed with its test."""
    yield
    structlog.reset_defaults()
