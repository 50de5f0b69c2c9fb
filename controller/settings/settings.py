"""Settings: everything a person can set on the command line or in the environment, frozen.

Flags win over the environment; all faults are reported at once. The options themselves stand in
`controller.settings.options`. Times that people set on a Deployment, and those that nobody sets,
are not here but in `controller.domain.defaults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from controller.base.errors import SettingsFault
from controller.domain.mirrors import Mirrors
from controller.domain.node_url import NodeUrl
from controller.settings import options, values
from controller.settings.datadog import read_dogstatsd
from controller.settings.environ import environment
from controller.settings.page import PageSettings, read_page
from controller.settings.reader import OptionReader
from controller.settings.values import ALL_NAMESPACES, DogStatsd
from controller.settings.webhook import WebhookSettings, read_webhook

# A public registry that takes polling for abuse refuses the whole address, other people behind it
# too [78]. It tells no figure: the five seconds are ours. A registry of one's own, named by
# --registry, may be asked more often.
SHORTEST_PUBLIC_POLL = 5.0

_PASSWORD_BYTES = 4096  # longer is not a password: somebody named the wrong file


@dataclass(frozen=True)
class ClusterSettings:
    """Which cluster, and what of it is watched."""

    kubeconfig: str | None  # a path, or several joined by the system's separator; None: not set
    context: str | None  # of the kubeconfig; None: its current one
    namespaces: tuple[str, ...]  # empty: its own, or the context's; `*` alone: all
    selector: str  # of labels
    identity: str | None  # namespace whose uid names the cluster in the store; None: its own

    @property
    def all_namespaces(self) -> bool:
        return self.namespaces == (ALL_NAMESPACES,)


@dataclass(frozen=True)
class StoreSettings:
    """Where the store is."""

    url: str = field(repr=False)  # may hold a password: show `shown_url`
    password: str | None = field(repr=False)  # from the file; None: none was named
    prefix: str  # of all keys
    # Read anew at each new connection; None: none was named
    password_file: Path | None = field(default=None, compare=False)

    @property
    def shown_url(self) -> str:
        return values.shown_url(self.url)

    def password_source(self) -> str | Callable[[], str] | None:
        """As `store.open_store` takes it."""
        return partial(read_password, self.password_file) if self.password_file else self.password

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""
        found = (self.password, urlsplit(self.url).password)
        return tuple(secret for secret in found if secret)


@dataclass(frozen=True)
class RegistrySettings:
    """How registries are asked."""

    poll_interval: float  # seconds between two HEADs of a tag
    mirrors: Mirrors  # registries that are asked somewhere else; empty: each at its own
    auth_file: Path | None  # a docker config.json; None: anonymous
    ca_file: Path | None = None  # PEM, believed beside the system's; None: the system's alone


@dataclass(frozen=True)
class NodeSettings:
    """How nodes are asked."""

    probe_interval: float  # seconds between two looks at an open run's node
    url: NodeUrl | None  # None: at their pod, directly or through the API server


@dataclass(frozen=True)
class EngineSettings:
    """How decisions are made and told."""

    resync_interval: float  # seconds between two looks at everything
    settle: float  # seconds after a start, or a loss of the store, in which nothing is started
    max_open_runs: int | None  # None: no limit
    compare_url: str  # template, see `values.parse_compare_url`; empty: no link
    dry_run: bool  # nothing is written
    once: bool = False  # of a dry run: one look at everything, and the end


@dataclass(frozen=True)
class ListenSettings:
    """Where `/healthz`, `/readyz` and `/metrics` are served."""

    host: str  # without brackets
    port: int  # 0: any free one


@dataclass(frozen=True)
class LogSettings:
    """How logs are written."""

    format: str  # `auto`, `json` or `text`
    level: str  # `debug`, `info`, `warning` or `error`


@dataclass(frozen=True)
class Settings:
    """Everything."""

    cluster: ClusterSettings
    store: StoreSettings
    registry: RegistrySettings
    node: NodeSettings
    engine: EngineSettings
    dogstatsd: DogStatsd | None  # None: no agent is told
    webhook: WebhookSettings | None  # None: none is told
    listen: ListenSettings
    page: PageSettings | None  # None: off
    logs: LogSettings


def load_settings(
    flags: Mapping[str, object], environ: Mapping[str, str] | None = None
) -> Settings:
    """Reads flags (by option key, `poll_interval`), environment and the password file.

    environ: None for the process's own.

    Raises SettingsFault with a sentence for every fault found.
    """
    environ = environment() if environ is None else environ
    read = OptionReader(options.OPTIONS, flags, environ)
    host, port = read.value(options.LISTEN)
    settings = Settings(
        cluster=ClusterSettings(
            kubeconfig=read.maybe(options.KUBECONFIG),
            context=read.maybe(options.CONTEXT),
            namespaces=_namespaces(read),
            selector=read.value(options.SELECTOR),
            identity=read.maybe(options.CLUSTER_NAMESPACE),
        ),
        store=_store(read),
        registry=_registry(read),
        node=NodeSettings(
            probe_interval=read.value(options.PROBE_INTERVAL),
            url=read.maybe(options.NODE_URL),
        ),
        engine=EngineSettings(
            resync_interval=read.value(options.RESYNC_INTERVAL),
            settle=read.value(options.SETTLE),
            max_open_runs=read.maybe(options.MAX_OPEN_RUNS),
            compare_url=read.value(options.COMPARE_URL),
            dry_run=read.value(options.DRY_RUN),
            once=_once(read),
        ),
        dogstatsd=read_dogstatsd(read, environ),
        webhook=read_webhook(read),
        listen=ListenSettings(host, port),
        page=read_page(read),
        logs=LogSettings(read.value(options.LOG_FORMAT), read.value(options.LOG_LEVEL)),
    )
    if read.faults:
        raise SettingsFault(read.faults)
    return settings


def _namespaces(read: OptionReader) -> tuple[str, ...]:
    everything = read.value(options.ALL)
    if everything and read.was_typed(options.NAMESPACE):
        read.fault(options.ALL, "it stands beside --namespace: write one of the two")
    if everything:
        return (ALL_NAMESPACES,)
    return read.maybe(options.NAMESPACE) or ()


def _once(read: OptionReader) -> bool:
    once = read.value(options.ONCE)
    if once and not read.value(options.DRY_RUN):
        read.fault(options.ONCE, "a controller that works goes on: write --dry-run beside it")
    return once


def _store(read: OptionReader) -> StoreSettings:
    url = read.value(options.STORE)
    password, path = None, None
    if file := read.maybe(options.STORE_PASSWORD_FILE):
        path = Path(file)
        password = _password(read, path)
        if urlsplit(url).password is not None:
            read.fault(
                options.STORE, "it holds a password, and so does --store-password-file: write one"
            )
    return StoreSettings(url, password, read.value(options.STORE_PREFIX), path)


def _password(read: OptionReader, path: Path) -> str | None:
    """What the file holds; faults are noted."""
    option = options.STORE_PASSWORD_FILE
    try:
        return read_password(path)
    except OSError as error:
        read.fault(option, f"it cannot be read ({error.strerror}): name a readable file", str(path))
    except ValueError as error:
        read.fault(option, f"{error}: name the file that holds the password", str(path))
    return None


def read_password(path: Path) -> str:
    """What the file holds, without the spaces and line ends around it. Raises OSError, and
    ValueError with what is wrong.
    """
    with path.open("rb") as file:
        raw = file.read(_PASSWORD_BYTES + 1)
    try:
        password = raw.decode().strip()
    except UnicodeDecodeError:
        raise ValueError("it is not text") from None
    if not password:
        raise ValueError("it is empty")
    if len(password.encode()) > _PASSWORD_BYTES:
        raise ValueError("it is too long for a password")
    return password


def _registry(read: OptionReader) -> RegistrySettings:
    mirrors = read.maybe(options.REGISTRY) or Mirrors()
    interval = read.value(options.POLL_INTERVAL)
    if interval < SHORTEST_PUBLIC_POLL and not read.given(options.REGISTRY):
        read.fault(
            options.POLL_INTERVAL,
            "a public registry takes this for abuse: write 5s or more, or name a registry of your"
            " own with --registry",
            read.given(options.POLL_INTERVAL),
        )
    auth, authorities = read.maybe(options.REGISTRY_AUTH), read.maybe(options.REGISTRY_CA)
    return RegistrySettings(interval, mirrors, auth, authorities)
