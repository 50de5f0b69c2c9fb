"""The environment of the process: whatever reads it is given it."""

import os
from collections.abc import Mapping


def environment() -> Mapping[str, str]:
    """The process's own, for what is passed in with it."""
    return os.environ
