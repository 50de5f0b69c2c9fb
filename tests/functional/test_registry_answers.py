"""The registry client against a small server whose answers are wrong in every way we know.

Included: statuses, bodies, digests, limits. Excluded: tokens and passwords (test_registry_auth.py),
connections, TLS and redirects (test_registry_transport.py).
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from random import Random

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import (
    Busy,
    Garbled,
    NoAccess,
    NotFound,
    Refused,
    Trouble,
    Unavailable,
)
from controller.domain.build import Platform, Quota
from controller.domain.mirrors import Mirrors
from controller.domain.reference import ReferenceFault, Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import RawServer, ScriptedServer

MANIFEST = b'{"schemaVersion":2,  "config":{},"layers":[]}'
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()
OTHER = "sha256:" + "0" * 64
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "manifests": [{"digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64"}}],
    }
).encode()
INDEX_DIGEST = "sha256:" + hashlib.sha256(INDEX).hexdigest()
MIB = 1 << 20


class Asked:
    """A client, and the server that it asks."""

    def __init__(self, server: ScriptedServer, client: RegistryClient, clock: FakeClock) -> None:
        self.server = server
        self.clock = clock
        self.repository = Repository(server.netloc, "team/node")
        self._client = client

    async def head(self, reference: str = "latest") -> str:
        return await self._client.head(self.repository, reference)

    async def build(self, digest: str = INDEX_DIGEST) -> str:
        return await self._client.build(self.repository, digest, Platform())

    def quota(self) -> Quota | None:
        return self._client.quota(self.repository)


def answering(
    status: int = 200, body: bytes = b"", **headers: str
) -> Callable[[web.Request], web.Response]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=status, body=body, headers=names)


async def asking(
    respond: Callable[[web.Request], web.StreamResponse], use: Callable[[Asked], object]
) -> None:
    """Runs `use`, awaited, with a client of a server that answers by `respond`."""
    clock = FakeClock()
    async with ScriptedServer(respond) as server, aiohttp.ClientSession() as session:
        client = RegistryClient(session, clock, Random(1))
        await use(Asked(server, client, clock))  # type: ignore[misc]


async def trouble(
    respond: Callable[[web.Request], web.StreamResponse],
    method: str = "head",
    argument: str | None = None,
) -> Trouble:
    """What `head` or `build` raises."""
    raised: list[Trouble] = []

    async def use(asked: Asked) -> None:
        call = asked.head if method == "head" else asked.build
        with pytest.raises(Trouble) as caught:
            await (call(argument) if argument else call())
        assert str(asked.repository) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
        raised.append(caught.value)

    await asking(respond, use)
    return raised[0]


async def test_head_asks_once_and_costs_no_pull() -> None:
    """Is a tag resolved by one HEAD, with all four types in Accept, and nothing else?"""

    async def use(asked: Asked) -> None:
        assert await asked.head() == DIGEST
        assert asked.server.requests == ["HEAD /v2/team/node/manifests/latest"]
        assert asked.server.headers[0]["Accept"].count("application/vnd.") == 4
        assert "Authorization" not in asked.server.headers[0]

    await asking(answering(docker_content_digest=DIGEST), use)


async def test_build_costs_one_pull() -> None:
    """Is the build behind an index found by one GET?"""

    async def use(asked: Asked) -> None:
        assert await asked.build() == DIGEST
        assert asked.server.requests == [f"GET /v2/team/node/manifests/{INDEX_DIGEST}"]

    await asking(answering(body=INDEX), use)


async def test_lone_manifest_is_the_build() -> None:
    """Is a manifest without an index its own build, without fetching its config?"""

    async def use(asked: Asked) -> None:
        assert await asked.build(DIGEST) == DIGEST
        assert len(asked.server.requests) == 1

    await asking(answering(body=MANIFEST), use)


async def test_digest_left_out_of_head() -> None:
    """Is the manifest fetched and its raw bytes hashed, where HEAD names no digest?"""

    async def use(asked: Asked) -> None:
        assert await asked.head() == DIGEST
        assert [line.split()[0] for line in asked.server.requests] == ["HEAD", "GET"]

    await asking(answering(body=MANIFEST), use)


async def test_sha512_is_verified_too() -> None:
    """Is a digest of the other algorithm verified by that algorithm?"""
    digest = "sha512:" + hashlib.sha512(MANIFEST).hexdigest()

    async def use(asked: Asked) -> None:
        assert await asked.build(digest) == digest

    await asking(answering(body=MANIFEST), use)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html><body>Sign in to the hotel's network</body></html>", "not a manifest"),
        (b"", "empty manifest"),
        (b'{"errors":[]}', "not a manifest|neither a manifest"),
        (b"x" * (50 * MIB), "more than 4194304 bytes"),
    ],
    ids=["html", "empty", "error", "50 MB"],
)
async def test_answers_that_are_no_manifest(body: bytes, sentence: str) -> None:
    """Is whatever is no manifest called garbled, and never hashed into a digest?"""
    error = await trouble(answering(body=body))

    assert isinstance(error, Garbled)
    assert any(part in str(error) for part in sentence.split("|"))


async def test_wrong_bytes() -> None:
    """Is a manifest whose bytes do not have the digest that was asked for refused?"""
    error = await trouble(answering(body=INDEX), "build", OTHER)

    assert isinstance(error, Garbled)
    assert f"do not have the digest {OTHER}" in str(error)


async def test_header_does_not_outweigh_the_bytes() -> None:
    """Is a wrong digest in the header of a GET noticed, where HEAD named none?"""

    def respond(request: web.Request) -> web.Response:
        headers = {"Docker-Content-Digest": OTHER} if request.method == "GET" else {}
        return web.Response(body=MANIFEST, headers=headers)

    assert isinstance(await trouble(respond), Garbled)


@pytest.mark.parametrize("header", ["latest", "sha256:0", "sha256:" + "G" * 64, DIGEST + ", x"])
async def test_header_that_is_no_digest(header: str) -> None:
    """Is what would be pinned a digest, whatever HEAD says?"""
    assert isinstance(await trouble(answering(docker_content_digest=header)), Garbled)


async def test_head_of_a_digest_is_that_digest() -> None:
    """Is a registry that answers for a digest with another one not believed?"""
    error = await trouble(answering(docker_content_digest=OTHER), "head", DIGEST)

    assert isinstance(error, Garbled)


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (404, NotFound, "no tag latest in repository"),
        (403, NoAccess, "no access, or no such repository"),
        (401, Refused, "login that is not known"),
        (400, Refused, "answers 400"),
        (500, Unavailable, "answers 500"),
        (502, Unavailable, "answers 502"),
        (503, Unavailable, "answers 503"),
        (204, Garbled, "answers 204"),
        (304, Garbled, "answers 304"),
    ],
)
async def test_statuses(status: int, kind: type[Trouble], sentence: str) -> None:
    """Does each status become the one kind of trouble that says when to try again?"""
    error = await trouble(answering(status))

    assert type(error) is kind
    assert sentence in str(error)


async def test_missing_digest_is_not_called_a_tag() -> None:
    """Does the sentence about a missing manifest say that it was asked for by digest?"""
    assert "no manifest sha256:" in str(await trouble(answering(404), "build"))


async def test_busy_registry_is_left_alone() -> None:
    """Is nothing at all asked until Retry-After is over, and then once?"""

    def respond(_: web.Request) -> web.Response:
        return next(answers)

    answers = iter(
        [
            web.Response(status=429, headers={"Retry-After": "120"}),
            web.Response(headers={"Docker-Content-Digest": DIGEST}),
        ]
    )

    async def use(asked: Asked) -> None:
        for _ in range(3):
            with pytest.raises(Busy) as caught:
                await asked.head()
            assert caught.value.retry_after == pytest.approx(120.0)
        with pytest.raises(Busy):
            await asked.build()
        assert len(asked.server.requests) == 1
        await asked.clock.advance(120.0)
        assert await asked.head() == DIGEST
        assert len(asked.server.requests) == 2

    await asking(respond, use)


async def test_busy_registry_does_not_stop_another() -> None:
    """Is only the registry left alone that asked for it?"""
    clock = FakeClock()
    async with (
        ScriptedServer(answering(429, retry_after="120")) as busy,
        ScriptedServer(answering(docker_content_digest=DIGEST)) as other,
        aiohttp.ClientSession() as session,
    ):
        client = RegistryClient(session, clock, Random(1))
        with pytest.raises(Busy):
            await client.head(Repository(busy.netloc, "a"), "latest")

        assert await client.head(Repository(other.netloc, "a"), "latest") == DIGEST


async def test_quota_is_remembered() -> None:
    """Is what the registry last said of its limit told, and nothing before it said so?"""

    async def use(asked: Asked) -> None:
        assert asked.quota() is None
        await asked.head()
        assert asked.quota() == Quota(100, 76, 21600, "192.0.2.1")

    await asking(
        answering(
            docker_content_digest=DIGEST,
            ratelimit_limit="100;w=21600",
            ratelimit_remaining="76;w=21600",
            docker_ratelimit_source="192.0.2.1",
        ),
        use,
    )


async def test_mirror_is_asked_instead() -> None:
    """Is a registry's mirror asked, and the registry itself never?"""
    async with (
        ScriptedServer(answering(docker_content_digest=DIGEST)) as server,
        aiohttp.ClientSession() as session,
    ):
        mirrors = Mirrors.parse([f"docker.io={server.url}/hub"])
        client = RegistryClient(session, FakeClock(), Random(1), mirrors=mirrors)

        assert await client.head(Repository("docker.io", "a/b"), "v1") == DIGEST
        assert server.requests == ["HEAD /hub/v2/a/b/manifests/v1"]


async def test_text_that_is_no_reference_is_not_sent() -> None:
    """Is text that could change the path of the request refused before it is sent?"""

    async def use(asked: Asked) -> None:
        for text in ("../../_catalog", "a/b", "latest?x=1", ""):
            with pytest.raises(ReferenceFault):
                await asked.head(text)
        with pytest.raises(ReferenceFault):
            await asked.build("latest")
        assert asked.server.requests == []

    await asking(answering(), use)


async def test_cancelled() -> None:
    """Does cancelling a call end it, as cancelled and nothing else?"""
    async with RawServer(None) as server, aiohttp.ClientSession() as session:
        client = RegistryClient(session, FakeClock(), Random(1))
        repository = Repository(f"127.0.0.1:{server.port}", "a")
        call = asyncio.create_task(client.head(repository, "latest"))
        await server.accepted.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
