"""aiohttp's errors become ours: here, and nowhere else in the project.

Not here: what a status means, and whether a write may have been applied: each client knows that of
the one that it asks. The finer classes below are for that.

    Unavailable
    ├── NotConnected         no connection came about
    │   ├── PortClosed       refused: the machine is there, and nobody listens
    │   └── HandshakeFailed  TLS did not come about
    └── NoAnswer             connected, and no whole answer in time
    Refused
    └── Untrusted            a certificate that is not trusted
"""

import errno
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from controller.base.durations import format_duration
from controller.base.errors import Garbled, Refused, Trouble, Unavailable
from controller.base.text import shown

# OpenSSL's codes: a certificate, or the last of a chain, that signed itself; an issuer that is not
# there; no issuer of the first.
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})


class NotConnected(Unavailable):
    """No connection came about, so nothing was sent: a write was surely not applied."""


class PortClosed(NotConnected):
    """The connection was refused: the machine is there, and nobody listens."""


class HandshakeFailed(NotConnected):
    """The other side did not complete the TLS handshake; it may not speak TLS at all."""


class NoAnswer(Unavailable):
    """It took the connection, and a whole answer did not come in time."""


class Untrusted(Refused):
    """It shows a certificate that is not trusted: nothing was sent to it."""

    unknown_issuer = False  # for want of a CA: nobody that is believed here has signed it


@contextmanager
def translated(about: str, seconds: float) -> Iterator[None]:
    """Around one exchange with aiohttp, the reading of the answer too.

    about: who was asked, the beginning of each sentence. seconds: the limit for all of it.

    Texts of aiohttp are shown only where they cannot contain a URL or a header: those may carry a
    token.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError, UnicodeError, ssl.CertificateError) as error:
        raise trouble_of(error, about, seconds) from error


def trouble_of(error: Exception, about: str, seconds: float) -> Trouble:
    """What the error is in the tree of `base.errors`; see `translated`."""
    match error:
        case TimeoutError() if not isinstance(error, aiohttp.ConnectionTimeoutError):
            return NoAnswer(f"{about} did not answer within {format_duration(seconds)}")
        case aiohttp.ClientConnectorCertificateError() | ssl.CertificateError():
            return _untrusted(error, about)
        case UnicodeError():  # a label of more than 63 letters does not even reach the resolver
            return Unavailable(f"{about} is not found by its name")
        case aiohttp.ClientPayloadError():
            return Unavailable(f"{about} broke off in the middle of its answer")
        case aiohttp.InvalidURL():
            return Garbled(f"{about} stands at what is no URL")
        case aiohttp.ClientResponseError() if _is_of_long_line(error):
            return Garbled(f"{about} answers with a header that is too long")
        case aiohttp.ClientResponseError() if not isinstance(error, aiohttp.ClientHttpProxyError):
            return Garbled(f"{about} does not answer in HTTP")
    return _not_connected(error, about) or Unavailable(f"{about} closed the connection")


def _not_connected(error: Exception, about: str) -> NotConnected | None:
    """None for what happened on a connection."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return NotConnected(f"{about} cannot be reached: no answer to connecting")
        case aiohttp.ClientSSLError():
            return HandshakeFailed(f"{about} does not complete the TLS handshake")
        case aiohttp.ClientProxyConnectionError():
            proxy = shown(f"{error.host}:{error.port}")
            return NotConnected(f"{about} cannot be reached: its proxy {proxy}: {_why(error)}")
        case aiohttp.ClientHttpProxyError():  # the proxy does not connect us
            return NotConnected(f"{about} cannot be reached: its proxy answers {error.status}")
        case aiohttp.ClientConnectorDNSError():
            return NotConnected(f"{about} is not found by its name")
        case aiohttp.ClientConnectorError(errno=errno.ECONNREFUSED):
            return PortClosed(f"{about} cannot be reached: it refuses connections")
        case aiohttp.ClientConnectorError():
            return NotConnected(f"{about} cannot be reached: {_why(error)}")
    return None


def _is_of_long_line(error: BaseException) -> bool:
    """Whether it came about by a header, or a first line, longer than the client reads."""
    while error.__cause__ is not None:
        error = error.__cause__
    return isinstance(error, LineTooLong)


def _why(error: OSError) -> str:
    """The operating system's words: asyncio's own are of addresses."""
    return os.strerror(error.errno) if error.errno else shown(error.strerror)


def _untrusted(error: Exception, about: str) -> Untrusted:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        error = error.certificate_error
    why, code = "it cannot be verified", 0
    if isinstance(error, ssl.SSLCertVerificationError):
        why, code = shown(error.verify_message), error.verify_code
    untrusted = Untrusted(f"{about} shows a certificate that is not trusted: {why}")
    untrusted.unknown_issuer = code in _UNKNOWN_ISSUER
    return untrusted
