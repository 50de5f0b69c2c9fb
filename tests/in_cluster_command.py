"""The command line of a pod: `python -m tests.in_cluster_command FOLDER monitor …` is
`bootstrap-controller monitor …`, but that the pod's service account is in this folder and not below
/var/run, where an ordinary user writes nothing. The same with `run`. It imports what the command
imports, and no more.
"""

import sys
from dataclasses import replace
from pathlib import Path

from controller.base.logs import configure_logs
from controller.cli.commands import command_line
from controller.cli.flags import Flags, takes
from controller.cli.serving import serve
from controller.cli.surroundings import quiet_surroundings
from controller.process.app import App
from controller.process.scope import MONITOR_LEASE, own_pod_scope
from controller.settings.options import OF_THE_MONITOR, OPTIONS
from controller.settings.settings import load_settings


def main(account: Path, words: list[str]) -> None:
    around = replace(quiet_surroundings(), service_account=account)
    app = command_line(words)

    def run(*, flags: Flags) -> None:
        settings = load_settings(flags)
        configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
        serve(App(settings, around))

    def monitor(*, flags: Flags) -> None:
        settings = load_settings(flags)
        configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
        serve(App(settings, replace(around, lease=MONITOR_LEASE), own_pod_scope))

    # the last of its name is the one that counts
    app.command("run")(takes(*OPTIONS)(run))
    app.command("monitor")(takes(*OF_THE_MONITOR)(monitor))
    app(words)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
