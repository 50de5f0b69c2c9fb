"""Which HTTP proxy leads to a URL, as the environment says it; pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from controller.base.loopback import is_loopback

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy of HTTPS_PROXY (HTTP_PROXY for a plain URL) unless NO_PROXY names the host [37].
    It may be of any kind: whoever uses it looks whether it is one that it can use.

    The variables are read as Go's clients read them, and so kubectl, docker, containerd and the
    kubelet [160]. aiohttp's own reading of the environment is not used: it knows no networks, and
    would send the password of a ~/.netrc along.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    proxy = _variable(environ, f"{parts.scheme}_proxy").strip()
    if not proxy or is_loopback(host):
        return None
    asked = _Asked(host, parts.port or _PORTS.get(parts.scheme, 0), _address(host))
    if any(_excludes(entry, asked) for entry in _variable(environ, "no_proxy").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@dataclass(frozen=True)
class _Asked:
    """The place that a URL names."""

    host: str  # in lower case
    port: int
    address: _Address | None  # None where the host is a name


def _variable(environ: Mapping[str, str], name: str) -> str:
    """By its name in capitals, which come first, or in small letters; empty for none."""
    return environ.get(name.upper()) or environ.get(name) or ""


def _excludes(entry: str, asked: _Asked) -> bool:
    entry = entry.strip().lower()
    if entry == "*":
        return True
    if asked.address is not None and "/" in entry:
        try:
            return asked.address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    host, port = _split(entry)
    if not host or port not in ("", str(asked.port)):
        return False
    if (address := _address(host)) is not None:
        return address == asked.address
    domain = host.removeprefix("*") if host.startswith("*.") else host
    if domain.startswith("."):  # what is below it, and not itself
        return asked.host.endswith(domain)
    return asked.host == domain or asked.host.endswith(f".{domain}")


def _split(entry: str) -> tuple[str, str]:
    """`host:port`, where an IPv6 address may stand alone or in brackets; an empty port for none."""
    if _address(entry) is not None:
        return entry, ""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = entry.partition(":")
    return host, port


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
