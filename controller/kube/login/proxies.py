"""Which HTTP proxy leads to the API server, as the environment says it; pure."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from controller.base.loopback import is_loopback


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy of HTTPS_PROXY (HTTP_PROXY for a plain URL) unless NO_PROXY names the host [37].

    NO_PROXY is read as kubectl reads it: names with their subdomains, addresses, and networks such
    as `10.0.0.0/8`. aiohttp's own reading of the environment is not used: it knows no networks, and
    would send the password of a ~/.netrc along.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"{parts.scheme}_proxy"
    proxy = environ.get(name) or environ.get(name.upper())
    if not proxy or is_loopback(host):
        return None
    if _excluded(host, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _excluded(host: str, no_proxy: str) -> bool:
    address = _address(host)
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        if not entry:
            continue
        if entry == "*":
            return True
        if address is not None:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue
        else:
            domain = entry.removeprefix("*").lstrip(".")
            if host.lower() == domain or host.lower().endswith("." + domain):
                return True
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
