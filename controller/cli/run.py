"""`run`: the controller."""

import asyncio
import contextlib
import signal
import sys

from controller.base.logs import configure_logs
from controller.cli import flags
from controller.cli.common import surroundings
from controller.process.app import App
from controller.settings.settings import load_settings


def run(
    kubeconfig: flags.Kubeconfig = None,
    context: flags.Context = None,
    namespace: flags.Namespace = None,
    all_namespaces: flags.AllNamespaces = None,
    selector: flags.Selector = None,
    store: flags.Store = None,
    store_password_file: flags.StorePasswordFile = None,
    store_prefix: flags.StorePrefix = None,
    poll_interval: flags.PollInterval = None,
    resync_interval: flags.ResyncInterval = None,
    settle: flags.Settle = None,
    probe_interval: flags.ProbeInterval = None,
    registry: flags.RegistryUrl = None,
    registry_auth: flags.RegistryAuth = None,
    node_url: flags.NodeUrl = None,
    dogstatsd: flags.Dogstatsd = None,
    listen: flags.Listen = None,
    page: flags.Page = None,
    max_open_runs: flags.MaxOpenRuns = None,
    compare_url: flags.CompareUrl = None,
    dry_run: flags.DryRun = None,
    log_format: flags.LogFormat = None,
    log_level: flags.LogLevel = None,
) -> None:
    """Watch the labelled Deployments and test build after build, until stopped by a signal."""
    settings = load_settings(locals())
    configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
    asyncio.run(_run(App(settings, surroundings())))


async def _run(app: App) -> None:
    """SIGTERM and SIGINT stop in good order; a second one at once."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(app.run())
    asked = False

    def ask() -> None:
        nonlocal asked
        if asked:
            running.cancel()
        asked = True
        app.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    with contextlib.suppress(asyncio.CancelledError):
        await running
