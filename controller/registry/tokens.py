"""Bearer tokens: what a token server answers, and how long it is believed. No I/O.

A token server's own clock (`issued_at`) is not looked at: lifetimes are measured by our monotonic
clock from the moment the request was sent, so that no disagreement of clocks can matter [68].
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field

import msgspec

from controller.base.clock import Clock
from controller.base.undecodable import UNDECODABLE

DEFAULT_LIFETIME = 60.0  # seconds, where the server names none [68]
_LONGEST_LIFETIME = 3600.0  # a server that says more is asked again anyway: rights change
_MARGIN = 10.0  # seconds: the longest connect, so that a token is still good when it arrives
# Anything else would break the header line. Longer ones than 64 KiB no server takes in a header.
_HEADER_SAFE = re.compile(r"[\x21-\x7e]{1,65536}")


class _TokenAnswer(msgspec.Struct):
    token: str | None = None  # or, from an OAuth2 endpoint:
    access_token: str | None = None
    expires_in: float | str | None = None  # seconds; None for a minute [68]


@dataclass(frozen=True)
class Token:
    """What is sent with a request."""

    secret: str = field(repr=False)
    lifetime: float  # seconds from when it was asked for


def parse_token(body: bytes) -> Token | None:
    """The token in a token server's answer; None if there is none that could be sent."""
    try:
        answer = msgspec.json.decode(body, type=_TokenAnswer, strict=False)
        lifetime = float(answer.expires_in or DEFAULT_LIFETIME)
    except (*UNDECODABLE, ValueError):
        return None
    secret = answer.token or answer.access_token or ""
    if not _HEADER_SAFE.fullmatch(secret):
        return None
    if not lifetime > 0:  # also for NaN
        lifetime = DEFAULT_LIFETIME
    return Token(secret, min(lifetime, _LONGEST_LIFETIME))


class TokenCache:
    """Tokens by what they are good for; an old one is never given out, nor kept for long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[Hashable, tuple[Token, float]] = {}

    def get(self, key: Hashable) -> Token | None:
        """A token with at least the margin left, or with half its life where that is less."""
        kept = self._tokens.get(key)
        if kept is None:
            return None
        if not self._usable(*kept):
            del self._tokens[key]
            return None
        return kept[0]

    def put(self, key: Hashable, token: Token, asked_at: float) -> None:
        """asked_at: monotonic seconds when the request for it was sent."""
        # Nobody may ask again for what the others were good for: a repository, a password
        self._tokens = {k: kept for k, kept in self._tokens.items() if self._usable(*kept)}
        self._tokens[key] = (token, asked_at)

    def drop(self, key: Hashable) -> None:
        """For a token that the registry did not take."""
        self._tokens.pop(key, None)

    def __len__(self) -> int:
        return len(self._tokens)

    def _usable(self, token: Token, asked_at: float) -> bool:
        usable = token.lifetime - min(_MARGIN, token.lifetime / 2)
        return self._clock.monotonic() - asked_at < usable
