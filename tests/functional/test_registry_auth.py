"""The registry client's leave to read: challenges, tokens, passwords, and what is not repeated."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import Busy, Garbled, Refused, Trouble, Unavailable
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import ScriptedServer

DIGEST = "sha256:" + "1" * 64
PASSWORD = "hunter2"
LOGIN = "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode()


class TokenRegistry:
    """A registry and its token server, of which each test sets what they take and answer.

    good: the token that opens the registry. realm: where its challenge points to.
    token_answer: the token server's answer, or None for a token that is good.
    """

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.registry = ScriptedServer(self._registry)
        self.tokens = ScriptedServer(self._token)
        self.good = "token-1"
        self.realm = ""
        self.challenge = 'Bearer realm="{realm}",service="s",scope="repository:team/node:pull,push"'
        self.token_answer: web.Response | None = None
        self.expires_in: int | None = 300
        self.auth_file = folder / "config.json"

    def _registry(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == f"Bearer {self.good}":
            return web.Response(headers={"Docker-Content-Digest": DIGEST})
        challenge = self.challenge.format(realm=self.realm or f"{self.tokens.url}/token?a=b")
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    def _token(self, _: web.Request) -> web.Response:
        if self.token_answer is not None:
            return web.Response(
                status=self.token_answer.status,
                body=self.token_answer.body,
                headers=self.token_answer.headers,
            )
        answer: dict[str, object] = {"token": self.good}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return web.json_response(answer)

    def write_login(self, **entry: str) -> None:
        """Puts a docker config.json in place, as the kubelet replaces a Secret."""
        text = json.dumps({"auths": {self.registry.netloc: entry}})
        fresh = self.auth_file.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.auth_file)

    def client(self, session: aiohttp.ClientSession) -> RegistryClient:
        auth_file = self.auth_file if self.auth_file.exists() else None
        return RegistryClient(session, self.clock, Random(1), auth_file=auth_file)

    @property
    def repository(self) -> Repository:
        return Repository(self.registry.netloc, "team/node")

    def counts(self) -> tuple[int, int]:
        """Requests at the registry, and at the token server."""
        return len(self.registry.requests), len(self.tokens.requests)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[TokenRegistry]:
    made = TokenRegistry(tmp_path)
    async with made.registry, made.tokens:
        yield made


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def refusal(client: RegistryClient, world: TokenRegistry, kind: type[Trouble]) -> str:
    """The sentence of what `head` raises, which has no secret in it."""
    with pytest.raises(kind) as caught:
        await client.head(world.repository, "latest")
    error: BaseException | None = caught.value
    while error is not None:
        assert PASSWORD not in repr(error)
        assert LOGIN.removeprefix("Basic ") not in repr(error)
        assert world.good not in repr(error)
        error = error.__cause__ or error.__context__
    return str(caught.value)


async def test_anonymous_token(world: TokenRegistry, session: aiohttp.ClientSession) -> None:
    """Is a token fetched as the challenge says, and the request sent again with it?"""
    assert await world.client(session).head(world.repository, "latest") == DIGEST
    assert world.counts() == (2, 1)
    assert world.tokens.requests[0].startswith("GET /token?a=b&service=s&scope=")
    assert "repository:team/node:pull,push" in world.tokens.requests[0]
    assert "Authorization" not in world.tokens.headers[0]


async def test_token_is_used_until_it_expires(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Does a poll cost one HEAD while the token is good, and no futile HEAD when it is not?"""
    client = world.client(session)
    for _ in range(3):
        await client.head(world.repository, "latest")
    assert world.counts() == (4, 1)

    await world.clock.advance(291.0)
    await client.head(world.repository, "latest")
    assert world.counts() == (5, 2)


async def test_token_of_unknown_life_is_used_for_a_minute(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a token without expires_in used for less than the 60 seconds that it means?"""
    world.expires_in = None
    client = world.client(session)
    await client.head(world.repository, "latest")
    await world.clock.advance(49.0)
    await client.head(world.repository, "latest")
    assert world.counts() == (3, 1)

    await world.clock.advance(11.0)
    await client.head(world.repository, "latest")
    assert world.counts() == (4, 2)


async def test_revoked_token_is_replaced_once(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a token that is taken no more replaced by a fresh one, in one retry?"""
    client = world.client(session)
    await client.head(world.repository, "latest")
    world.good = "token-2"

    assert await client.head(world.repository, "latest") == DIGEST
    assert world.counts() == (4, 2)


async def test_many_tags_share_one_token(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is one token fetched for many tags that are asked for at once?"""
    client = world.client(session)
    await asyncio.gather(*(client.head(world.repository, f"t{n}") for n in range(8)))

    assert world.counts() == (16, 1)


async def test_no_access_is_asked_once(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Does a fresh token that opens nothing end in one sentence, not in a loop?"""
    world.token_answer = web.json_response({"token": "of-no-use"})

    sentence = await refusal(world.client(session), world, Refused)
    assert sentence == (
        f"{world.repository}: no access, or no such repository; no login was sent: --registry-auth"
        " names no file of logins"
    )
    assert world.counts() == (2, 1)


async def test_password_goes_to_the_token_server_alone(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is the password sent to the token server, and never to the registry that wants a token?"""
    world.write_login(username="user", password=PASSWORD)

    assert await world.client(session).head(world.repository, "latest") == DIGEST
    assert world.tokens.headers[0]["Authorization"] == LOGIN
    assert [headers.get("Authorization") for headers in world.registry.headers] == [
        None,
        "Bearer token-1",
    ]


async def test_bad_password_is_never_sent_twice(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a password that was not accepted left alone until the file changes, then tried anew?"""
    world.write_login(username="user", password=PASSWORD)
    world.token_answer = web.Response(status=401, body=LOGIN.encode())
    client = world.client(session)
    for _ in range(3):
        sentence = await refusal(client, world, Refused)
        assert "are not accepted" in sentence
    await world.clock.advance(86400.0)
    await refusal(client, world, Refused)
    assert len(world.tokens.requests) == 1

    world.token_answer = None
    world.write_login(username="user", password="correct")
    assert await client.head(world.repository, "latest") == DIGEST
    assert len(world.tokens.requests) == 2


async def test_new_password_means_a_new_token(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a token that an old password got not used after the password was changed?"""
    world.write_login(username="user", password="old")
    client = world.client(session)
    await client.head(world.repository, "latest")
    world.write_login(username="user", password=PASSWORD)
    await client.head(world.repository, "latest")

    assert world.tokens.headers[-1]["Authorization"] == LOGIN
    assert world.counts() == (3, 2)


async def test_lockout_of_the_token_server_silences_us(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Does a 429 of the token server stop requests to the registry too?"""
    world.token_answer = web.Response(status=429, headers={"Retry-After": "60"})
    client = world.client(session)
    await refusal(client, world, Busy)
    await refusal(client, world, Busy)

    assert world.counts() == (1, 1)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (web.Response(body=b"<html>"), Garbled, "no token"),
        (web.Response(body=b'{"token":"a\\nb"}'), Garbled, "no token"),
        (web.Response(body=b" " * (1 << 20)), Garbled, "bytes"),
        (web.Response(status=500), Unavailable, "token server, answers 500"),
        (web.Response(status=403), Refused, "no access"),
        (web.Response(status=401), Refused, "no access"),
        (web.Response(status=404), Refused, "token server, answers 404"),
    ],
    ids=["html", "unsafe", "large", "500", "403", "401", "404"],
)
async def test_token_server_fails(
    world: TokenRegistry,
    session: aiohttp.ClientSession,
    answer: web.Response,
    kind: type[Trouble],
    words: str,
) -> None:
    """Does each failure of the token server become one sentence that names it or its reason?"""
    world.token_answer = answer

    assert words in await refusal(world.client(session), world, kind)
    assert world.counts() == (1, 1)


async def test_identity_token_is_posted(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is an identity token exchanged in the body of a POST, out of every URL?"""
    world.write_login(username="<token>", identitytoken=PASSWORD)
    await world.client(session).head(world.repository, "latest")

    assert world.tokens.requests == ["POST /token?a=b"]
    assert b"grant_type=refresh_token" in world.tokens.bodies[0]
    assert PASSWORD.encode() in world.tokens.bodies[0]


async def test_identity_token_is_not_redirected(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a body with a secret never sent to where a token server redirects it?"""
    world.write_login(identitytoken=PASSWORD)
    world.token_answer = web.Response(status=307, headers={"Location": "/elsewhere"})

    assert "redirects" in await refusal(world.client(session), world, Refused)
    assert len(world.tokens.requests) == 1


async def test_basic(world: TokenRegistry, session: aiohttp.ClientSession) -> None:
    """Is a registry that wants a password itself given it, at once from the second time on?"""
    world.write_login(username="user", password=PASSWORD)
    world.challenge = 'Basic realm="r"'
    world.registry.respond = lambda request: (
        web.Response(headers={"Docker-Content-Digest": DIGEST})
        if request.headers.get("Authorization") == LOGIN
        else world._registry(request)
    )
    client = world.client(session)
    assert await client.head(world.repository, "latest") == DIGEST
    assert await client.head(world.repository, "latest") == DIGEST

    assert world.counts() == (3, 0)


async def test_bad_basic_password_is_never_sent_twice(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a password that the registry itself refused left alone until the file changes?"""
    world.write_login(username="user", password=PASSWORD)
    world.challenge = 'Basic realm="r"'
    client = world.client(session)
    for _ in range(3):
        assert "are not accepted" in await refusal(client, world, Refused)

    sent = [headers for headers in world.registry.headers if "Authorization" in headers]
    assert len(sent) == 1


async def test_basic_without_a_login(world: TokenRegistry, session: aiohttp.ClientSession) -> None:
    """Does the sentence say how to give a password, where one is wanted and there is none?"""
    world.challenge = 'Basic realm="r"'

    assert "--registry-auth" in await refusal(world.client(session), world, Refused)


@pytest.mark.parametrize("realm", ["ftp://a/b", "http://user:pw@127.0.0.1/", "http://[", "/token"])
async def test_realm_that_is_no_url(
    world: TokenRegistry, session: aiohttp.ClientSession, realm: str
) -> None:
    """Is a token server that is no URL of HTTP refused, before anything is sent to it?"""
    world.realm = realm

    assert "no URL of HTTP" in await refusal(world.client(session), world, Refused)


async def test_unreadable_login_is_not_anonymous(
    world: TokenRegistry, session: aiohttp.ClientSession
) -> None:
    """Is a broken file of credentials told, instead of going on as nobody?"""
    world.auth_file.write_text("{")

    assert "docker config.json" in await refusal(world.client(session), world, Refused)
    assert world.counts() == (1, 0)
