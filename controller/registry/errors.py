"""aiohttp's errors and statuses become ours: here, and nowhere else in this package."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from controller.base.durations import format_duration
from controller.base.errors import Garbled, Refused, Trouble, Unavailable
from controller.base.text import shown


@contextmanager
def translated(about: str, seconds: float) -> Iterator[None]:
    """about: whose answer was waited for, the beginning of each sentence. seconds: the limit.

    Texts of aiohttp are shown only where they cannot contain a URL or a header: those may carry
    a token.
    """
    try:
        yield
    except TimeoutError as error:
        raise Unavailable(f"{about} did not answer within {format_duration(seconds)}") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise Refused(
            f"{about} shows a certificate that is not trusted:"
            f" {_certificate_fault(error.certificate_error)}"
        ) from error
    except aiohttp.ClientSSLError as error:
        raise Unavailable(
            f"{about} does not complete the TLS handshake; if it speaks plain HTTP, name it with"
            " --registry HOST=http://…"
        ) from error
    except (aiohttp.ClientConnectorDNSError, UnicodeError) as error:
        # UnicodeError: a label of more than 63 letters does not even reach the resolver.
        raise Unavailable(f"{about} is not found by its name") from error
    except aiohttp.ClientConnectorError as error:
        raise Unavailable(f"{about} cannot be reached: {shown(error.strerror)}") from error
    except aiohttp.ClientPayloadError as error:
        raise Unavailable(f"{about} broke off in the middle of its answer") from error
    except aiohttp.ClientResponseError as error:
        raise Garbled(f"{about} does not answer in HTTP") from error
    except aiohttp.InvalidURL as error:
        raise Garbled(f"{about} redirects to what is no URL") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{about} closed the connection") from error


def trouble_of(status: int, about: str) -> Trouble:
    """What a status other than 200 means where it has no meaning of its own.

    about: who answers, the beginning of the sentence.
    """
    sentence = f"{about} answers {status}"
    if status >= 500 or status == 408:
        return Unavailable(sentence)
    return Refused(sentence) if status >= 400 else Garbled(sentence)


def _certificate_fault(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return shown(error.verify_message)
    return "it cannot be verified"
