"""What the reading commands share: their settings and their surroundings."""

import sys
from collections.abc import Mapping
from random import Random

import typer

from controller.base.clock import SystemClock
from controller.base.logs import configure_logs
from controller.process.wiring import Surroundings
from controller.settings.environ import environment
from controller.settings.settings import Settings, load_settings


def reading_settings(flags: Mapping[str, object]) -> Settings:
    """From the flags given and the environment. A command prints its answer: the log is quiet."""
    settings = load_settings(flags)
    configure_logs("text", "error", sys.stderr)
    return settings


def surroundings() -> Surroundings:
    """Of a command: it names on standard error the API server that it asks, and as whom. An answer
    of another cluster than was meant looks like any other.
    """
    return Surroundings(SystemClock(), Random(), environment(), on_server=_name)


def quiet_surroundings() -> Surroundings:
    """Of what names the API server otherwise, or has nobody to name it to."""
    return Surroundings(SystemClock(), Random(), environment())


def _name(where: str) -> None:
    typer.echo(f"API server: {where}", err=True)
