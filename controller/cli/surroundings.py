"""What the reading commands share: their settings and their surroundings."""

import sys
from collections.abc import Mapping
from random import Random

from controller.base.clock import SystemClock
from controller.base.logs import configure_logs
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings, environment, load_settings


def reading_settings(flags: Mapping[str, object]) -> Settings:
    """From the flags given and the environment. A command prints its answer: the log is quiet."""
    settings = load_settings(flags)
    configure_logs("text", "error", sys.stderr)
    return settings


def surroundings() -> Surroundings:
    return Surroundings(SystemClock(), Random(), environment())
