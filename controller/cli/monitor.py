"""`monitor`: the controller of one Deployment, in the pod of its node."""

import sys
from dataclasses import replace

from controller.base.logs import configure_logs
from controller.cli.flags import Flags, takes
from controller.cli.serving import serve
from controller.cli.surroundings import quiet_surroundings
from controller.process.app import App
from controller.process.scope import MONITOR_LEASE, own_pod, own_pod_scope
from controller.settings.options import OF_THE_MONITOR
from controller.settings.settings import load_settings


@takes(*OF_THE_MONITOR)
def monitor(*, flags: Flags) -> None:
    """Look after the Deployment whose pod this runs in, as a sidecar of its node, until stopped by
    a signal. POD_NAME and POD_NAMESPACE say which pod that is.
    """
    settings, around = load_settings(flags), quiet_surroundings()
    own_pod(around.environ)  # told before anything else is looked for
    configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
    serve(App(settings, replace(around, lease=MONITOR_LEASE), own_pod_scope))
