"""`run`: the controller."""

import sys

from controller.base.logs import configure_logs
from controller.cli.flags import Flags, takes
from controller.cli.serving import serve
from controller.cli.surroundings import surroundings
from controller.process.app import App
from controller.settings.options import OPTIONS
from controller.settings.settings import load_settings


@takes(*OPTIONS)
def run(*, flags: Flags) -> None:
    """Watch the labelled Deployments and test build after build, until stopped by a signal."""
    settings = load_settings(flags)
    configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
    serve(App(settings, surroundings()))
