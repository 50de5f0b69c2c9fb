"""Short answers, and what stands on all of them."""

from collections.abc import Mapping

from aiohttp import web

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def answer(
    body: bytes | str, kind: str, status: int = 200, more: Mapping[str, str] | None = None
) -> web.Response:
    """kind: of the body, without its charset."""
    data = body.encode() if isinstance(body, str) else body
    headers = {**HEADERS, **(more or {}), "Content-Type": f"{kind}; charset=utf-8"}
    return web.Response(status=status, body=data, headers=headers)


def plain(status: int, sentence: str, **more: str) -> web.Response:
    """A short error for whoever is no browser of ours."""
    return answer(sentence + "\n", "text/plain", status, more)
