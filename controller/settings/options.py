"""The table of options: every flag and variable, how it is read, its default and its meaning.

Settings, the flags of the commands and docs/configuration.md come from here; a test compares the
last with what `describe` writes. Options of datadog, page and webhook stand beside what is made of
them.
"""

from typing import Any

from controller.domain.defaults import COMPARE_URL as AVALANCHEGO
from controller.domain.mirrors import Mirrors
from controller.domain.names import DEFAULT_SELECTOR
from controller.domain.node_url import NodeUrl
from controller.settings import values
from controller.settings.datadog import DOGSTATSD
from controller.settings.option import Defaulted, Option
from controller.settings.page import PAGE, PAGE_HOST
from controller.settings.reader import (
    choice,
    duration,
    parse_existing_file,
    parse_host_port,
    parse_list,
    parse_positive,
    parse_switch,
    parse_text,
)
from controller.settings.webhook import WEBHOOK_FILE, WEBHOOK_TEMPLATE

KUBECONFIG = Option(
    "--kubeconfig",
    "KUBECONFIG",
    parse_text,
    "kubeconfig; without it in-cluster if there is one",
    metavar="PATH",
)
CONTEXT = Option(
    "--context",
    "",
    parse_text,
    "context of the kubeconfig; its current one if not set",
    metavar="NAME",
)
NAMESPACE = Option(
    "--namespace",
    "BOOTSTRAP_NAMESPACES",
    values.parse_namespaces,
    "namespaces to watch (`-n`, repeatable; the variable: comma separated, `*` for all);"
    " its own, or the context's, if not set",
    metavar="NAME",
    short="-n",
    repeatable=True,
)
ALL = Defaulted(
    "--all-namespaces",
    "",
    parse_switch,
    "watch all namespaces (`-A`)",
    default="false",
    short="-A",
)
SELECTOR = Defaulted(
    "--selector",
    "BOOTSTRAP_SELECTOR",
    values.parse_selector,
    "label selector of what is watched",
    metavar="SELECTOR",
    default=DEFAULT_SELECTOR,
)
CLUSTER_NAMESPACE = Option(
    "--cluster-namespace",
    "BOOTSTRAP_CLUSTER_NAMESPACE",
    values.parse_namespace,
    "namespace whose uid names the cluster in the store: the same for all that share one;"
    " if not set, its own, and each that is watched",
    metavar="NAME",
)
STORE = Defaulted(
    "--store",
    "BOOTSTRAP_STORE",
    values.parse_store_url,
    "URL of the store: `memory://`, `redis://`, `rediss://`, `redis+sentinel://`,"
    " `rediss+sentinel://`, `unix://`",
    metavar="URL",
    default="memory://",
    secret=True,
)
STORE_PASSWORD_FILE = Option(
    "--store-password-file",
    "BOOTSTRAP_STORE_PASSWORD_FILE",
    parse_text,
    "file that holds the store's password, read anew at each new connection",
    metavar="PATH",
)
STORE_PREFIX = Defaulted(
    "--store-prefix",
    "BOOTSTRAP_STORE_PREFIX",
    values.parse_prefix,
    "what the store's keys begin with",
    metavar="WORD",
    default="bootstrap",
)
POLL_INTERVAL = Defaulted(
    "--poll-interval",
    "BOOTSTRAP_POLL_INTERVAL",
    duration("100ms", "1d"),
    "how often a tag is asked for; under 5s only with `--registry`",
    metavar="DURATION",
    default="60s",
)
RESYNC_INTERVAL = Defaulted(
    "--resync-interval",
    "BOOTSTRAP_RESYNC_INTERVAL",
    # longer, and what a lost message hid would stay hidden for more than a day
    duration("100ms", "1d"),
    "how often every Deployment is looked at though nothing changed",
    metavar="DURATION",
    default="5m",
)
SETTLE = Defaulted(
    "--settle",
    "BOOTSTRAP_SETTLE",
    # a minute covers a patch that is still on its way [15]; an hour is a slip of the pen
    duration("0s", "1h"),
    "how long after a start, or after the store had forgotten, nothing new is started; shorter only"
    " where no other controller can be, and the same for all that share a store",
    metavar="DURATION",
    default="60s",
)
PROBE_INTERVAL = Defaulted(
    "--probe-interval",
    "BOOTSTRAP_PROBE_INTERVAL",
    # longer, and the default soak of 10m would hardly be observed
    duration("100ms", "5m"),
    "how often an open run's node is asked",
    metavar="DURATION",
    default="30s",
)
REGISTRY = Option(
    "--registry",
    "BOOTSTRAP_REGISTRIES",
    lambda text: Mirrors.parse(parse_list(text)),
    "`HOST=URL`: where a registry is asked instead, a mirror, also below a path, or a local one"
    " (repeatable; the variable: comma separated)",
    metavar="HOST=URL",
    repeatable=True,
)
REGISTRY_AUTH = Option(
    "--registry-auth",
    "BOOTSTRAP_REGISTRY_AUTH",
    parse_existing_file("a docker config.json"),
    "a docker config.json; anonymous if not set",
    metavar="PATH",
)
REGISTRY_CA = Option(
    "--registry-ca",
    "BOOTSTRAP_REGISTRY_CA",
    values.parse_certificates,
    "certificates of private CAs (PEM), by which registries are believed beside the system's",
    metavar="PATH",
)
NODE_URL = Option(
    "--node-url",
    "BOOTSTRAP_NODE_URL",
    NodeUrl.parse,
    "where nodes are asked instead of at their pod: a URL with"
    " `{pod_ip}`, `{port}`, `{pod}`, `{namespace}`, `{service}`",
    metavar="TEMPLATE",
)
LISTEN = Defaulted(
    "--listen",
    "BOOTSTRAP_LISTEN",
    parse_host_port,
    "address of `/healthz`, `/readyz`, `/metrics`; `[::]` is all, IPv4's too",
    metavar="HOST:PORT",
    default="[::]:8080",
)
MAX_OPEN_RUNS = Option(
    "--max-open-runs",
    "BOOTSTRAP_MAX_OPEN_RUNS",
    parse_positive,
    "runs open at a time; no limit if not set",
    metavar="N",
)
COMPARE_URL = Defaulted(
    "--compare-url",
    "BOOTSTRAP_COMPARE_URL",
    values.parse_compare_url,
    "link that a failure after a pass ends with, from `{good}`, the commit that passed last, and"
    " `{bad}`, the one that failed; `off` for none",
    metavar="TEMPLATE",
    default=AVALANCHEGO,
)
DRY_RUN = Defaulted(
    "--dry-run",
    "BOOTSTRAP_DRY_RUN",
    parse_switch,
    "decide and say; write to neither cluster nor store, take no Lease",
    default="false",
)
ONCE = Defaulted(
    "--once",
    "",
    parse_switch,
    "with `--dry-run`: look at every Deployment once, say what would be done, and end",
    default="false",
)
LOG_FORMAT = Defaulted(
    "--log-format",
    "BOOTSTRAP_LOG_FORMAT",
    choice("auto", "json", "text"),
    "`auto` (text on a terminal, else JSON), `json` or `text`",
    metavar="FORMAT",
    default="auto",
)
LOG_LEVEL = Defaulted(
    "--log-level",
    "BOOTSTRAP_LOG_LEVEL",
    choice("debug", "info", "warning", "error"),
    "`debug`, `info`, `warning` or `error`",
    metavar="LEVEL",
    default="info",
)

# What each command that asks the cluster takes, and what each that asks the store takes beside it.
OF_THE_CLUSTER: tuple[Option[Any], ...] = (KUBECONFIG, CONTEXT, NAMESPACE, ALL, SELECTOR)
OF_THE_STORE: tuple[Option[Any], ...] = (STORE, STORE_PASSWORD_FILE, STORE_PREFIX)

# What the monitor takes: it looks after one Deployment, which it finds by itself.
OF_THE_MONITOR: tuple[Option[Any], ...] = (
    KUBECONFIG, CONTEXT, CLUSTER_NAMESPACE, *OF_THE_STORE,
    POLL_INTERVAL, RESYNC_INTERVAL, SETTLE, PROBE_INTERVAL, REGISTRY, REGISTRY_AUTH, REGISTRY_CA,
    NODE_URL, DOGSTATSD, WEBHOOK_FILE, WEBHOOK_TEMPLATE, LISTEN, PAGE, PAGE_HOST, COMPARE_URL,
    DRY_RUN, LOG_FORMAT, LOG_LEVEL,
)  # fmt: skip

OPTIONS: tuple[Option[Any], ...] = (
    *OF_THE_CLUSTER, CLUSTER_NAMESPACE, *OF_THE_STORE,
    POLL_INTERVAL, RESYNC_INTERVAL, SETTLE, PROBE_INTERVAL, REGISTRY, REGISTRY_AUTH, REGISTRY_CA,
    NODE_URL, DOGSTATSD, WEBHOOK_FILE, WEBHOOK_TEMPLATE, LISTEN, PAGE, PAGE_HOST, MAX_OPEN_RUNS,
    COMPARE_URL, DRY_RUN, ONCE, LOG_FORMAT, LOG_LEVEL,
)  # fmt: skip


def describe() -> str:
    """The table in Markdown, a line each."""
    lines = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for option in OPTIONS:
        variable = f"`{option.variable}`" if option.variable else ""
        default = f"`{option.shown_default}`" if option.shown_default else ""
        lines.append(f"| `{option.flag}` | {variable} | {default} | {option.meaning} |")
    return "\n".join(lines) + "\n"
