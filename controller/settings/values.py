"""Values of single options that have a grammar of their own, and mean something here alone: what
clients take too is read by `domain.node_url` and `domain.mirrors`.

Each parser raises ValueError with the remedy (what to write instead), as `OptionReader` wants it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlunsplit

from controller.base.text import shown
from controller.base.trust import systems_and
from controller.settings.reader import parse_list, parse_text, split_url

ALL_NAMESPACES = "*"
DOGSTATSD_PORT = 8125  # where Datadog's agent listens if nobody says otherwise [135]

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"  # a label's name or value, at most 63
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_KEY = rf"(?:{_DNS_LABEL}(?:\.{_DNS_LABEL})*/)?{_NAME}"
_VALUES = rf"\(\s*(?:{_NAME})?(?:\s*,\s*(?:{_NAME})?)*\s*\)"
_REQUIREMENT = re.compile(
    rf"\s*(?:!?\s*{_KEY}|{_KEY}\s*(?:==?|!=)\s*(?:{_NAME})?|{_KEY}\s+(?:not)?in\s*{_VALUES})\s*"
)
_COMMA_OUTSIDE = re.compile(r",(?![^(]*\))")

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # readable in redis-cli, no pattern marks
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")

_COMPARE_URL_LENGTH = 200  # a message of 512 bytes has to hold it, filled in, beside the reason
_COMPARE_URL_REMEDY = "write a link such as https://example.com/compare/{good}...{bad}, or off"


def parse_certificates(text: str) -> Path:
    """The path of a file of certificates in PEM, which can be used now."""
    path = Path(parse_text(text))
    try:
        systems_and(path)
    except ValueError as fault:
        raise ValueError(f"{fault}: name a file of certificates in PEM") from None
    return path


def parse_namespaces(text: str) -> tuple[str, ...]:
    names = parse_list(text)
    if not names:
        raise ValueError("it names none: write a namespace, or * for all")
    if ALL_NAMESPACES in names and len(names) > 1:
        raise ValueError("* is all of them: write * alone, or the names alone")
    for name in names:
        if name != ALL_NAMESPACES:
            parse_namespace(name)
    return names


def parse_namespace(text: str) -> str:
    if not re.fullmatch(_DNS_LABEL, text.strip()):
        raise ValueError(
            f"'{shown(text)}' is no namespace: write lower-case letters, digits and '-'"
        )
    return text.strip()


def parse_selector(text: str) -> str:
    """A label selector as the API server reads it; never one that selects everything."""
    requirements = _COMMA_OUTSIDE.split(text.strip())
    if not all(_REQUIREMENT.fullmatch(requirement) for requirement in requirements):
        raise ValueError(
            "it is no label selector: write key=value, key!=value, key, !key or"
            " 'key in (a,b)', joined by commas"
        )
    return text.strip()


def parse_store_url(text: str) -> str:
    """Looks at the form only: which schemes there are is the store's to know."""
    url = split_url(text)
    if not _SCHEME.fullmatch(url.scheme) or "://" not in text:
        raise ValueError("write a URL such as memory://, redis://host:6379/0 or unix:///path")
    return text.strip()


def shown_url(text: str) -> str:
    """The URL fit to be shown: no password, no query (which may carry one)."""
    url = split_url(text)
    user, at, host = url.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}{':***' if colon else ''}{at}{host}"
    # urlunsplit drops the slashes of an empty host, and memory: is not what was written
    return shown(f"{url.scheme}://{netloc}{urlunsplit(('', '', url.path, '', ''))}")


def parse_prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text.strip()):
        raise ValueError("write up to 64 letters, digits, '.', '_' and '-', such as bootstrap")
    return text.strip()


def parse_compare_url(text: str) -> str:
    """A template with `{good}` and `{bad}`; empty for `off`."""
    template = parse_text(text)
    if template.lower() == "off":
        return ""
    if len(template) > _COMPARE_URL_LENGTH:
        raise ValueError(f"it is longer than {_COMPARE_URL_LENGTH} characters: shorten it")
    if not template.startswith(("http://", "https://")) or any(c.isspace() for c in template):
        raise ValueError(f"it is not http:// or https://: {_COMPARE_URL_REMEDY}")
    if not template.isprintable():
        raise ValueError(f"it holds a character that cannot be seen: {_COMPARE_URL_REMEDY}")
    url = split_url(template)
    if url.username is not None:
        raise ValueError(f"it holds a user: leave it out, and {_COMPARE_URL_REMEDY}")
    if not url.hostname:  # a browser takes what follows more slashes for one, and its user
        raise ValueError(f"it names no host: {_COMPARE_URL_REMEDY}")
    names = re.findall(r"[{]([^{}]*)[}]", template)
    left = re.sub(r"[{][^{}]*[}]", "", template)
    if sorted(names) != ["bad", "good"] or "{" in left or "}" in left:
        raise ValueError(f"it must hold {{good}} and {{bad}} once each: {_COMPARE_URL_REMEDY}")
    return template


@dataclass(frozen=True)
class DogStatsd:
    """Where Datadog's agent listens: a UDP address, or a socket."""

    host: str = ""  # without brackets; empty for a socket
    port: int = DOGSTATSD_PORT  # UDP; means nothing for a socket
    socket_path: str = ""  # empty for UDP

    def __str__(self) -> str:
        if self.socket_path:
            return f"unix://{self.socket_path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"udp://{host}:{self.port}"


def parse_dogstatsd(text: str) -> DogStatsd | None:
    """None for `off`. The schemes unixgram and unixstream are Datadog's own and read as unix: its
    client finds the kind of the socket out.
    """
    if text.strip().lower() == "off":
        return None
    url = split_url(text)
    if url.scheme == "udp" and url.hostname and not url.path.strip("/"):
        return DogStatsd(host=url.hostname, port=url.port or DOGSTATSD_PORT)
    if url.scheme in ("unix", "unixgram", "unixstream") and not url.netloc and len(url.path) > 1:
        return DogStatsd(socket_path=url.path)
    raise ValueError("write udp://host:port, unix:///path/of/the.socket or off")
