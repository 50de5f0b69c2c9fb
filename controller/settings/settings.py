"""Settings: everything a person can set on the command line or in the environment, frozen.

Flags win over the environment; all faults are reported at once. The options themselves stand in
`controller.settings.options`. Times that people set on a Deployment, and those that nobody sets,
are not here but in `controller.domain.defaults`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from controller.base.errors import SettingsFault
from controller.domain.mirrors import Mirrors
from controller.domain.node_url import NodeUrl
from controller.settings import options as table
from controller.settings import values as values
from controller.settings.reader import (
    OptionReader,
    choice,
    duration,
    parse_host_port,
    parse_list,
    parse_positive,
    parse_switch,
    parse_text,
)
from controller.settings.values import ALL_NAMESPACES, DogStatsd

# A public registry that takes polling for abuse refuses the whole address, other people behind it
# too [78]. It tells no figure: the five seconds are ours. A registry of one's own, named by
# --registry, may be asked more often.
SHORTEST_PUBLIC_POLL = 5.0

_PASSWORD_BYTES = 4096  # longer is not a password: somebody named the wrong file


@dataclass(frozen=True)
class ClusterSettings:
    """kubeconfig: one path or several joined by the system's separator. namespaces: empty means its
    own or the context's; `*` alone means all. None where it was not set.
    """

    kubeconfig: str | None
    context: str | None
    namespaces: tuple[str, ...]
    selector: str

    @property
    def all_namespaces(self) -> bool:
        return self.namespaces == (ALL_NAMESPACES,)


@dataclass(frozen=True)
class StoreSettings:
    """The URL may hold a password: show `shown_url`, never `url`."""

    url: str = field(repr=False)
    password: str | None = field(repr=False)
    prefix: str

    @property
    def shown_url(self) -> str:
        return values.shown_url(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""
        found = (self.password, urlsplit(self.url).password)
        return tuple(secret for secret in found if secret)


@dataclass(frozen=True)
class RegistrySettings:
    """How registries are asked."""

    poll_interval: float  # seconds between two looks at a followed tag
    mirrors: Mirrors  # registries that are asked somewhere else
    auth_file: Path | None  # a docker config.json; None for anonymous


@dataclass(frozen=True)
class NodeSettings:
    """How nodes are asked."""

    probe_interval: float  # seconds between two looks at a node
    url: NodeUrl | None  # None: at their pod, directly or through the API server


@dataclass(frozen=True)
class EngineSettings:
    """resync_interval, settle: seconds. max_open_runs: None for no limit. compare_url: see
    `values.parse_compare_url`.
    """

    resync_interval: float
    settle: float
    max_open_runs: int | None
    compare_url: str
    dry_run: bool


@dataclass(frozen=True)
class ListenSettings:
    """host: without brackets. port: 0 for any free one. page: the status page too."""

    host: str
    port: int
    page: bool


@dataclass(frozen=True)
class LogSettings:
    """format: `auto`, `json` or `text`. level: `debug`, `info`, `warning` or `error`."""

    format: str
    level: str


@dataclass(frozen=True)
class Settings:
    """Everything; dogstatsd is None where no agent is told."""

    cluster: ClusterSettings
    store: StoreSettings
    registry: RegistrySettings
    node: NodeSettings
    engine: EngineSettings
    dogstatsd: DogStatsd | None
    listen: ListenSettings
    logs: LogSettings


def environment() -> Mapping[str, str]:
    """The process's own, for what is passed in with it."""
    return os.environ


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads flags (by option key, `poll_interval`), environment and the password file.

    Raises SettingsFault with a sentence for every fault found.
    """
    read = OptionReader(table.OPTIONS, flags, environ)
    host, port = read.value(table.LISTEN, parse_host_port)
    settings = Settings(
        cluster=ClusterSettings(
            kubeconfig=read.maybe(table.KUBECONFIG, parse_text),
            context=read.maybe(table.CONTEXT, parse_text),
            namespaces=_namespaces(read),
            selector=read.value(table.SELECTOR, values.parse_selector),
        ),
        store=_store(read),
        registry=_registry(read),
        node=NodeSettings(
            # longer, and the default soak of 10m would hardly be observed
            probe_interval=read.value(table.PROBE_INTERVAL, duration("100ms", "5m")),
            url=read.maybe(table.NODE_URL, NodeUrl.parse),
        ),
        engine=EngineSettings(
            # longer, and what a lost message hid would stay hidden for more than a day
            resync_interval=read.value(table.RESYNC_INTERVAL, duration("100ms", "1d")),
            # a minute covers a patch that is still on its way [15]; an hour is a slip of the pen
            settle=read.value(table.SETTLE, duration("0s", "1h")),
            max_open_runs=read.maybe(table.MAX_OPEN_RUNS, parse_positive),
            compare_url=read.value(table.COMPARE_URL, values.parse_compare_url),
            dry_run=read.value(table.DRY_RUN, parse_switch),
        ),
        dogstatsd=_dogstatsd(read, environ),
        listen=ListenSettings(host=host, port=port, page=read.value(table.PAGE, parse_switch)),
        logs=LogSettings(
            format=read.value(table.LOG_FORMAT, choice("auto", "json", "text")),
            level=read.value(table.LOG_LEVEL, choice("debug", "info", "warning", "error")),
        ),
    )
    if read.faults:
        raise SettingsFault(read.faults)
    return settings


def _namespaces(read: OptionReader) -> tuple[str, ...]:
    everything = read.value(table.ALL, parse_switch)
    if everything and read.was_typed(table.NAMESPACE):
        read.fault(table.ALL, "it stands beside --namespace: write one of the two")
    if everything:
        return (ALL_NAMESPACES,)
    return read.maybe(table.NAMESPACE, values.parse_namespaces) or ()


def _store(read: OptionReader) -> StoreSettings:
    url = read.value(table.STORE, values.parse_store_url)
    password = None
    if file := read.maybe(table.STORE_PASSWORD_FILE, parse_text):
        password = _password(read, Path(file))
        if urlsplit(url).password is not None:
            read.fault(
                table.STORE, "it holds a password, and so does --store-password-file: write one"
            )
    return StoreSettings(url, password, read.value(table.STORE_PREFIX, values.parse_prefix))


def _password(read: OptionReader, path: Path) -> str | None:
    """What the file holds, without the spaces and line ends around it; faults are noted."""
    option = table.STORE_PASSWORD_FILE
    try:
        with path.open("rb") as file:
            password = file.read(_PASSWORD_BYTES + 1).decode().strip()
    except OSError as error:
        read.fault(option, f"it cannot be read ({error.strerror}): name a readable file", str(path))
    except UnicodeDecodeError:
        read.fault(option, "it is not text: name the file that holds the password", str(path))
    else:
        if 0 < len(password.encode()) <= _PASSWORD_BYTES:
            return password
        wrong = "too long for a password" if password else "empty"
        read.fault(option, f"it is {wrong}: name the file that holds the password", str(path))
    return None


def _registry(read: OptionReader) -> RegistrySettings:
    mirrors = read.maybe(table.REGISTRY, lambda text: Mirrors.parse(parse_list(text))) or Mirrors()
    interval = read.value(table.POLL_INTERVAL, duration("100ms", "1d"))
    if interval < SHORTEST_PUBLIC_POLL and not read.given(table.REGISTRY):
        read.fault(
            table.POLL_INTERVAL,
            "a public registry takes this for abuse: write 5s or more, or name a registry of your"
            " own with --registry",
            read.given(table.POLL_INTERVAL),
        )
    return RegistrySettings(interval, mirrors, read.maybe(table.REGISTRY_AUTH, _existing_file))


def _existing_file(text: str) -> Path:
    path = Path(parse_text(text))
    if not path.is_file():
        raise ValueError("there is no such file: name a docker config.json")
    return path


def _dogstatsd(read: OptionReader, environ: Mapping[str, str]) -> DogStatsd | None:
    """Our own option, or else what Datadog's clients go by [135]."""
    if read.given(table.DOGSTATSD) is not None:
        return read.maybe(table.DOGSTATSD, values.parse_dogstatsd)
    variable, text = _datadog_variable(environ)
    try:
        return values.parse_dogstatsd(text)
    except ValueError as error:
        # the variable is Datadog's and may not be ours to mend, but our flag wins over it
        read.fault(replace(table.DOGSTATSD, variable=variable), str(error), text)
        return None


def _datadog_variable(environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that decides, and what it says in the form of our own option."""
    if environ.get("DD_DOGSTATSD_DISABLE", "").lower() in ("true", "yes", "1"):
        return "DD_DOGSTATSD_DISABLE", "off"
    if url := environ.get("DD_DOGSTATSD_URL"):
        return "DD_DOGSTATSD_URL", url
    if host := environ.get("DD_AGENT_HOST"):
        port = environ.get("DD_DOGSTATSD_PORT") or values.DOGSTATSD_PORT
        bracketed = f"[{host}]" if ":" in host else host  # a node's IPv6 address comes bare
        return "DD_AGENT_HOST, DD_DOGSTATSD_PORT", f"udp://{bracketed}:{port}"
    return "", "off"
