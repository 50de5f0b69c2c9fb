"""The flags of the commands, from the one table of options: help and spelling stand there."""

from typing import Annotated, Any

import typer

from controller.settings import options as table
from controller.settings.reader import Option


def _flag(option: Option, *names: str, metavar: str | None = None) -> Any:
    variable = f" [{option.variable}]" if option.variable else ""
    default = f" (default {option.default})" if option.default else ""
    return typer.Option(
        *(names or (option.flag,)),
        help=f"{option.meaning}{default}{variable}",
        show_default=False,
        metavar=metavar,
    )


Kubeconfig = Annotated[str | None, _flag(table.KUBECONFIG, metavar="PATH")]
Context = Annotated[str | None, _flag(table.CONTEXT, metavar="NAME")]
Namespace = Annotated[list[str] | None, _flag(table.NAMESPACE, "--namespace", "-n", metavar="NAME")]
AllNamespaces = Annotated[
    bool | None, typer.Option("--all-namespaces", "-A", help=table.ALL.meaning, show_default=False)
]
Selector = Annotated[str | None, _flag(table.SELECTOR, metavar="SELECTOR")]
Store = Annotated[str | None, _flag(table.STORE, metavar="URL")]
StorePasswordFile = Annotated[str | None, _flag(table.STORE_PASSWORD_FILE, metavar="PATH")]
StorePrefix = Annotated[str | None, _flag(table.STORE_PREFIX, metavar="WORD")]
PollInterval = Annotated[str | None, _flag(table.POLL_INTERVAL, metavar="DURATION")]
ResyncInterval = Annotated[str | None, _flag(table.RESYNC_INTERVAL, metavar="DURATION")]
Settle = Annotated[str | None, _flag(table.SETTLE, metavar="DURATION")]
ProbeInterval = Annotated[str | None, _flag(table.PROBE_INTERVAL, metavar="DURATION")]
RegistryUrl = Annotated[list[str] | None, _flag(table.REGISTRY, metavar="HOST=URL")]
RegistryAuth = Annotated[str | None, _flag(table.REGISTRY_AUTH, metavar="PATH")]
NodeUrl = Annotated[str | None, _flag(table.NODE_URL, metavar="TEMPLATE")]
Dogstatsd = Annotated[str | None, _flag(table.DOGSTATSD, metavar="URL")]
Listen = Annotated[str | None, _flag(table.LISTEN, metavar="HOST:PORT")]
Page = Annotated[bool | None, typer.Option("--page", help=table.PAGE.meaning, show_default=False)]
MaxOpenRuns = Annotated[str | None, _flag(table.MAX_OPEN_RUNS, metavar="N")]
CompareUrl = Annotated[str | None, _flag(table.COMPARE_URL, metavar="TEMPLATE")]
DryRun = Annotated[
    bool | None, typer.Option("--dry-run", help=table.DRY_RUN.meaning, show_default=False)
]
LogFormat = Annotated[str | None, _flag(table.LOG_FORMAT, metavar="FORMAT")]
LogLevel = Annotated[str | None, _flag(table.LOG_LEVEL, metavar="LEVEL")]
