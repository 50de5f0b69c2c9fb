"""A registry of which each test says how it refuses, and its token server."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import Trouble
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import ScriptedServer

DIGEST = "sha256:" + "1" * 64
FOUND = {"Docker-Content-Digest": DIGEST}
PASSWORD = "correct-horse"

Answer = Callable[[], web.Response]


def refusal(status: int, code: str = "", message: str = "") -> Answer:
    """An answer of that status, with an error of a registry in its body if there is a code."""
    if not code:
        return lambda: web.Response(status=status)
    errors = [{"code": code, "message": message}]
    return lambda: web.json_response({"errors": errors}, status=status)


class GuardedRegistry:
    """good: Authorization headers that open manifests. refused: what others get, but for a
    challenge, which stands on a 401 if `challenged` is not empty. ping: what `/v2/` answers; None
    for a 401 with the challenge. granted: what the token server answers; None for `token-N`, N
    counting from 1, which is good unless `useless`.
    """

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.registry = ScriptedServer(self._registry)
        self.tokens = ScriptedServer(self._token)
        self.good: set[str] = set()
        self.refused = refusal(401)
        self.challenged = 'Bearer realm="{realm}",service="s"'
        self.ping: Answer | None = None
        self.granted: Answer | None = None
        self.useless = False
        self.auth_file = folder / "config.json"

    def _registry(self, request: web.Request) -> web.Response:
        challenge = self.challenged.format(realm=f"{self.tokens.url}/token")
        if request.path == "/v2/":
            if self.ping is not None:
                return self.ping()
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if request.headers.get("Authorization") in self.good:
            return web.Response(headers=FOUND)
        answer = self.refused()
        if answer.status == 401 and challenge:
            answer.headers["WWW-Authenticate"] = challenge
        return answer

    def _token(self, _: web.Request) -> web.Response:
        if self.granted is not None:
            return self.granted()
        token = f"token-{len(self.tokens.requests)}"
        if not self.useless:
            self.good = {f"Bearer {token}"}
        return web.json_response({"token": token, "expires_in": 300})

    def write_login(self, host: str = "", **entry: str) -> None:
        """Puts a docker config.json in place, for the registry unless a host is named."""
        entry = entry or {"username": "user", "password": PASSWORD}
        fresh = self.auth_file.with_suffix(".new")
        fresh.write_text(json.dumps({"auths": {host or self.registry.netloc: entry}}))
        os.replace(fresh, self.auth_file)

    def client(self, session: aiohttp.ClientSession) -> RegistryClient:
        auth_file = self.auth_file if self.auth_file.exists() else None
        return RegistryClient(session, self.clock, Random(1), auth_file=auth_file)

    def repository(self, path: str = "team/node") -> Repository:
        return Repository(self.registry.netloc, path)

    def logins(self) -> int:
        """Requests with a password, at the registry and at the token server."""
        headers = self.registry.headers + self.tokens.headers
        return sum(one.get("Authorization", "").startswith("Basic ") for one in headers)

    async def trouble(
        self, client: RegistryClient, kind: type[Trouble], path: str = "team/node"
    ) -> str:
        """The sentence of what a HEAD raises: one line, and no secret in it or behind it."""
        with pytest.raises(kind) as caught:
            await client.head(self.repository(path), "latest")
        error: BaseException | None = caught.value
        while error is not None:
            assert PASSWORD not in repr(error)
            assert "token-" not in repr(error)
            error = error.__cause__ or error.__context__
        sentence = str(caught.value)
        assert str(self.repository(path)) in sentence or "asks us to wait" in sentence
        assert sentence.isprintable()
        assert len(sentence) < 480
        return sentence
