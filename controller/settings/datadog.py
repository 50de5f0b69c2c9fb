"""Datadog's agent: our own option, and the variables that its clients go by."""

from collections.abc import Mapping
from dataclasses import replace

from controller.settings import values
from controller.settings.option import Option
from controller.settings.reader import OptionReader
from controller.settings.values import DogStatsd

DOGSTATSD = Option(
    "--dogstatsd",
    "BOOTSTRAP_DOGSTATSD",
    values.parse_dogstatsd,
    "Datadog's agent: `udp://host:port`, `unix:///path` or `off`; if not set, from"
    " `DD_DOGSTATSD_URL`, or `DD_AGENT_HOST` and `DD_DOGSTATSD_PORT`; else off",
    metavar="URL",
)


def read_dogstatsd(read: OptionReader, environ: Mapping[str, str]) -> DogStatsd | None:
    """Our own option, or else what Datadog's clients go by [135]."""
    if read.given(DOGSTATSD) is not None:
        return read.maybe(DOGSTATSD)
    variable, text = _datadog_variable(environ)
    try:
        return values.parse_dogstatsd(text)
    except ValueError as error:
        # the variable is Datadog's and may not be ours to mend, but our flag wins over it
        read.fault(replace(DOGSTATSD, variable=variable), str(error), text)
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
