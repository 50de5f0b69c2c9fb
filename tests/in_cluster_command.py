"""The command line of a pod: `python -m tests.in_cluster_command FOLDER run …` is
`bootstrap-controller run …`, but that the pod's service account is in this folder and not below
/var/run, where an ordinary user writes nothing. It imports what the command imports, and no more.
"""

import asyncio
import dataclasses
import sys
from pathlib import Path

from controller.base.logs import configure_logs
from controller.cli.flags import Flags, takes
from controller.cli.main import app
from controller.cli.run import until_signalled
from controller.cli.surroundings import surroundings
from controller.process.app import App
from controller.settings.options import OPTIONS
from controller.settings.settings import load_settings


def main(account: Path, words: list[str]) -> None:
    @app.command("run")  # the last of its name is the one that counts
    @takes(*OPTIONS)
    def run(*, flags: Flags) -> None:
        settings = load_settings(flags)
        configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
        around = dataclasses.replace(surroundings(), service_account=account)
        asyncio.run(until_signalled(App(settings, around)))

    app(words)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
