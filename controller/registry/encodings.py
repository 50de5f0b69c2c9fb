"""Content-Encoding: what a server, or a CDN before it, did to a body on its way. No I/O.

We ask for `identity`, and some compress all the same. containerd undoes gzip, deflate and zstd, and
refuses what else there is [149]; we undo the first two.
"""

import zlib

from controller.base.errors import Garbled
from controller.base.http_limits import TooLong
from controller.base.text import shown

_MOST = 2  # codings of one body: a registry's own and a CDN's
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB, _RAW = zlib.MAX_WBITS, -zlib.MAX_WBITS  # both are sent as `deflate`


def decoded(body: bytes, header: str, limit: int, about: str) -> bytes:
    """The body as it was before it was encoded: at most `limit` bytes, whatever they were packed
    into. header: of Content-Encoding, empty if there is none. Raises Garbled, a sentence that
    begins with `about`, who answers.
    """
    codings = [part.strip().lower() for part in header.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings or not body:
        return body
    if len(codings) > _MOST or not {"gzip", "x-gzip", "deflate"}.issuperset(codings):
        raise Garbled(
            f"{about} answers in the encoding '{shown(header, 40)}' though none was asked for: have"
            " it, or the proxy before it, leave manifests as they are"
        )
    for coding in reversed(codings):
        forms = (_ZLIB, _RAW) if coding == "deflate" else (_GZIP,)
        body = _inflated(body, forms, limit, about)
    return body


def _inflated(body: bytes, forms: tuple[int, ...], limit: int, about: str) -> bytes:
    """forms: of zlib's `wbits`, one after the other until one fits."""
    for form in forms:
        whole, rest = bytearray(), body
        try:
            while rest:  # gzip may have several members
                packed = zlib.decompressobj(form)
                whole += packed.decompress(rest, limit + 1 - len(whole))
                if len(whole) > limit:
                    raise TooLong(f"{about} answers with more than {limit} bytes")
                if not packed.eof:
                    break
                rest = packed.unused_data
        except zlib.error:
            continue
        if not rest:
            return bytes(whole)
    raise Garbled(f"{about} answers with what is not in the encoding that it says")
