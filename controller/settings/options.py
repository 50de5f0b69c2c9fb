"""The table of options: every flag and variable, its default and its meaning, and nothing else.

docs/configuration.md shows it as `describe` writes it, and a test compares the two.
"""

from controller.domain.defaults import COMPARE_URL as AVALANCHEGO
from controller.domain.names import DEFAULT_SELECTOR
from controller.settings.reader import Option

KUBECONFIG = Option(
    "--kubeconfig", "KUBECONFIG", "", "kubeconfig; without it in-cluster if there is one"
)
CONTEXT = Option("--context", "", "", "context of the kubeconfig; its current one if not set")
NAMESPACE = Option(
    "--namespace",
    "BOOTSTRAP_NAMESPACES",
    "",
    "namespaces to watch (`-n`, repeatable; the variable: comma separated, `*` for all);"
    " its own, or the context's, if not set",
)
ALL = Option("--all-namespaces", "", "false", "watch all namespaces (`-A`)")
SELECTOR = Option(
    "--selector", "BOOTSTRAP_SELECTOR", DEFAULT_SELECTOR, "label selector of what is watched"
)
STORE = Option(
    "--store",
    "BOOTSTRAP_STORE",
    "memory://",
    "URL of the store: `memory://`, `redis://`, `rediss://`, `unix://`",
    secret=True,
)
STORE_PASSWORD_FILE = Option(
    "--store-password-file",
    "BOOTSTRAP_STORE_PASSWORD_FILE",
    "",
    "file that holds the store's password, read once at the start",
)
STORE_PREFIX = Option(
    "--store-prefix",
    "BOOTSTRAP_STORE_PREFIX",
    "bootstrap",
    "what the store's keys begin with",
)
POLL_INTERVAL = Option(
    "--poll-interval",
    "BOOTSTRAP_POLL_INTERVAL",
    "60s",
    "how often a tag is asked for; under 5s only with `--registry`",
)
RESYNC_INTERVAL = Option(
    "--resync-interval",
    "BOOTSTRAP_RESYNC_INTERVAL",
    "5m",
    "how often every Deployment is looked at though nothing changed",
)
SETTLE = Option(
    "--settle",
    "BOOTSTRAP_SETTLE",
    "60s",
    "how long after a start, or a refill of the store, nothing new is started;"
    " shorter only where no other controller can be",
)
PROBE_INTERVAL = Option(
    "--probe-interval",
    "BOOTSTRAP_PROBE_INTERVAL",
    "30s",
    "how often an open run's node is asked",
)
REGISTRY = Option(
    "--registry",
    "BOOTSTRAP_REGISTRIES",
    "",
    "`HOST=URL`: where a registry is asked instead, a mirror or a local one"
    " (repeatable; the variable: comma separated)",
)
REGISTRY_AUTH = Option(
    "--registry-auth", "BOOTSTRAP_REGISTRY_AUTH", "", "a docker config.json; anonymous if not set"
)
NODE_URL = Option(
    "--node-url",
    "BOOTSTRAP_NODE_URL",
    "",
    "where nodes are asked instead of at their pod: a URL with"
    " `{pod_ip}`, `{port}`, `{pod}`, `{namespace}`, `{service}`",
)
DOGSTATSD = Option(
    "--dogstatsd",
    "BOOTSTRAP_DOGSTATSD",
    "",
    "Datadog's agent: `udp://host:port`, `unix:///path` or `off`; if not set, from"
    " `DD_DOGSTATSD_URL`, or `DD_AGENT_HOST` and `DD_DOGSTATSD_PORT`; else off",
)
LISTEN = Option(
    "--listen", "BOOTSTRAP_LISTEN", "0.0.0.0:8080", "address of `/healthz`, `/readyz`, `/metrics`"
)
PAGE = Option("--page", "BOOTSTRAP_PAGE", "false", "reserved for a status page: there is none yet")
MAX_OPEN_RUNS = Option(
    "--max-open-runs", "BOOTSTRAP_MAX_OPEN_RUNS", "", "runs open at a time; no limit if not set"
)
COMPARE_URL = Option(
    "--compare-url",
    "BOOTSTRAP_COMPARE_URL",
    AVALANCHEGO,
    "link that a failure after a pass ends with, from `{good}`, the commit that passed last, and"
    " `{bad}`, the one that failed; `off` for none",
)
DRY_RUN = Option(
    "--dry-run",
    "BOOTSTRAP_DRY_RUN",
    "false",
    "decide and say; write to neither cluster nor store, take no Lease",
)
LOG_FORMAT = Option(
    "--log-format",
    "BOOTSTRAP_LOG_FORMAT",
    "auto",
    "`auto` (text on a terminal, else JSON), `json` or `text`",
)
LOG_LEVEL = Option(
    "--log-level", "BOOTSTRAP_LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`"
)

OPTIONS = (
    KUBECONFIG, CONTEXT, NAMESPACE, ALL, SELECTOR, STORE, STORE_PASSWORD_FILE, STORE_PREFIX,
    POLL_INTERVAL, RESYNC_INTERVAL, SETTLE, PROBE_INTERVAL, REGISTRY, REGISTRY_AUTH, NODE_URL,
    DOGSTATSD, LISTEN, PAGE, MAX_OPEN_RUNS, COMPARE_URL, DRY_RUN, LOG_FORMAT, LOG_LEVEL,
)  # fmt: skip


def describe() -> str:
    """The table in Markdown, a line each."""
    lines = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for option in OPTIONS:
        variable = f"`{option.variable}`" if option.variable else ""
        default = f"`{option.default}`" if option.default else ""
        lines.append(f"| `{option.flag}` | {variable} | {default} | {option.meaning} |")
    return "\n".join(lines) + "\n"
