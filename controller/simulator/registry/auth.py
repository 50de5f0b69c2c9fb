"""The token server, and what a token is good for [68-70]."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from controller.base.clock import Clock

# Docker Hub answers 429 to somebody who keeps on trying bad passwords [70]; how many it takes is
# not published.
FAILED_LOGINS = 5


@dataclass
class TokenRules:
    """How the token server behaves; may be changed while it runs."""

    users: dict[str, str] = field(default_factory=dict)  # names to passwords
    private: set[str] = field(default_factory=set)  # repositories that need a user
    expires_in: int | None = 300  # seconds; None to leave it out (60 is meant then [68])
    field_name: str = "token"  # or `access_token`
    enabled: bool = True  # whether the registry asks for tokens at all
    # What a request gets that brings no token: 401 with the challenge, or another status without
    # one, as of registries that have it at `/v2/` alone [153].
    stranger_gets: int = 401
    stale_gets: int = 401  # the same of a token that is good no more [155]
    bad_login_gets: int = 401  # what the token server answers to a wrong password [155]


class TokenServer:
    """Grants tokens and knows which it granted."""

    def __init__(self, rules: TokenRules, service: str, clock: Clock) -> None:
        self.rules = rules
        self.service = service
        self._clock = clock
        self._granted: dict[str, tuple[set[str], float]] = {}
        self._failed = 0

    def revoke_all(self) -> None:
        """Every token is refused from now on, as after a change of the signing key."""
        self._granted.clear()

    def challenge(self, realm: str, repository: str, *, error: str = "") -> str:
        scope = f"repository:{repository}:pull"
        text = f'Bearer realm="{realm}",service="{self.service}",scope="{scope}"'
        return f'{text},error="{error}"' if error else text

    def allows(self, header: str | None, repository: str) -> bool:
        """Whether the Authorization header lets somebody pull from the repository."""
        if not self.rules.enabled:
            return True
        kind, _, token = (header or "").partition(" ")
        repositories, until = self._granted.get(token, (set(), 0.0))
        return kind == "Bearer" and repository in repositories and self._clock.monotonic() < until

    def grant(self, request: web.Request) -> web.Response:
        """The token endpoint."""
        user = None
        header = request.headers.get("Authorization")
        if header is not None:
            user, password = _basic(header)
            if user not in self.rules.users or self.rules.users[user] != password:
                return self._bad_login()
        scopes = [s.split(":") for s in request.query.getall("scope", [])]
        wanted = {s[1] for s in scopes if len(s) == 3 and s[0] == "repository" and "pull" in s[2]}
        # Missing rights are no error here: the token is good for less [69].
        allowed = {name for name in wanted if user is not None or name not in self.rules.private}
        token = secrets.token_urlsafe(24)
        lifetime = self.rules.expires_in
        self._granted[token] = (
            allowed,
            self._clock.monotonic() + (60 if lifetime is None else lifetime),
        )
        body: dict[str, object] = {self.rules.field_name: token}
        if lifetime is not None:
            body |= {"expires_in": lifetime, "issued_at": self._clock.now().isoformat()}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    def _bad_login(self) -> web.Response:
        self._failed += 1
        if self._failed >= FAILED_LOGINS:
            text = "too many failed login attempts for username or IP address"
            return web.Response(status=429, text=text)
        body = {"details": "incorrect username or password"}
        status = self.rules.bad_login_gets
        return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _basic(header: str) -> tuple[str, str]:
    kind, _, encoded = header.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (user, password) if kind.lower() == "basic" else ("", "")
