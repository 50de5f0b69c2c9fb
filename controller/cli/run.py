"""`run`: the controller."""

import asyncio
import sys

import typer

from controller.base.logs import configure_logs
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.serving import serve
from controller.cli.surroundings import quiet_surroundings, surroundings
from controller.process.app import App
from controller.settings.options import OPTIONS
from controller.settings.settings import load_settings


@takes(*OPTIONS)
def run(*, flags: Flags) -> None:
    """Watch the labelled Deployments and test build after build, until stopped by a signal. With
    --dry-run --once: say what would be done now, and end.
    """
    settings = load_settings(flags)
    configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
    if settings.engine.once:
        # Imported here: a controller need not keep for weeks what only people look at.
        from controller.inspection.dry_run import look_once

        found = asyncio.run(look_once(settings, surroundings()))
        raise typer.Exit(DONE if found else NOTHING_FOUND)
    serve(App(settings, quiet_surroundings()))
