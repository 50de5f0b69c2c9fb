"""Where a server of ours listens."""

import ipaddress
import socket

from aiohttp import web


def listening_site(runner: web.BaseRunner, host: str, port: int) -> web.BaseSite:
    """host: without brackets; `::` is every address, those of IPv4 too, and on a machine without
    IPv6 those of IPv4 alone. (asyncio would listen there on IPv6 alone; a pod may have either.)
    Raises OSError, as its `start` does.
    """
    if _is_every_address(host):
        return web.SockSite(runner, _on_every_address(port))
    return web.TCPSite(runner, host, port)


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).is_unspecified
    except ValueError:
        return False


def _on_every_address(port: int) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    sock = socket.socket(socket.AF_INET6 if both else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if both:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::" if both else "0.0.0.0", port))
    except OSError:
        sock.close()
        raise
    return sock
