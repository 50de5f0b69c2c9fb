"""Bounds of one HTTP exchange: bytes of the answer, and seconds of connecting.

Not here: the seconds of the whole. Those are the clock's (`Clock.within`).
"""

import aiohttp

from controller.base.errors import Garbled

_CHUNK = 64 * 1024  # bytes


class TooLong(Garbled):
    """More bytes than the limit: an answer came, and was not read to its end."""


def connecting_within(connect_limit: float, time_limit: float) -> aiohttp.ClientTimeout:
    """Seconds of finding the name, TCP and TLS: at most half of the time for all of it, and so it
    gives up first. When all the time is over, the other side had been reached.
    """
    return aiohttp.ClientTimeout(total=None, connect=min(connect_limit, time_limit / 2))


async def read_at_most(response: aiohttp.ClientResponse, limit: int, about: str) -> bytes:
    """The whole body. Never holds more than `limit` bytes and one chunk, whatever Content-Length
    claims: raises TooLong, a sentence that begins with `about`, who answers.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limit:
            response.close()
            raise TooLong(f"{about} answers with more than {limit} bytes")
    return bytes(body)
