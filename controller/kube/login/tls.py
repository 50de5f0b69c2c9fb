"""TLS to the API server, and TCP that notices a dead peer."""

import socket
import ssl
from dataclasses import dataclass
from typing import Any

from controller.base.errors import SettingsFault
from controller.base.text import shown
from controller.base.trust import as_go_believes

# A peer that vanished is noticed after 30 + 3 * 15 seconds of silence, and unanswered data after
# 45: client-go's HTTP/2 ping, which HTTP/1.1 does not have, takes 30 + 15 [31].
KEEPALIVE_IDLE = 30
KEEPALIVE_INTERVAL = 15
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MS = 45_000


@dataclass(frozen=True)
class TlsFiles:
    """Paths of what TLS is set up from."""

    ca: str | None = None  # of the cluster; None where the system's public CAs are trusted
    certificate: str | None = None  # our own; None where something else says who we are
    key: str | None = None  # of our certificate; None where it is in that file too
    verify: bool = True  # False only where a kubeconfig says insecure-skip-tls-verify


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises SettingsFault where a file cannot be used.

    Where the cluster brings its own CA, it is believed as client-go believes it: that CA, and only
    that, has to have signed. Where the system's public CAs are trusted, Python's defaults stay.
    """
    if files.ca:
        context = as_go_believes(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    else:
        context = ssl.create_default_context()
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    load_files(context, files)
    return context


def load_files(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Reads the files into the context, which later connections use; a CA that was rotated is
    trusted beside the old one, as the cluster's own rotation needs.
    """
    try:
        if files.ca:
            context.load_verify_locations(cafile=files.ca)
        if files.certificate:
            context.load_cert_chain(files.certificate, keyfile=files.key)
    except (OSError, ssl.SSLError) as exc:
        names = ", ".join(shown(name) for name in (files.ca, files.certificate, files.key) if name)
        raise SettingsFault([f"TLS files cannot be used ({names}): {shown(exc)}"]) from exc


def keepalive_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for aiohttp's connector, which sets no keepalive itself [31]. Options that an
    operating system lacks are left out.
    """
    family, kind, proto = info[0], info[1], info[2]
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", USER_TIMEOUT_MS),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
