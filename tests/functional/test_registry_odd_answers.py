"""Answers that are unusual and not wrong, or wrong and common: HEADs that do not tell, packed
bodies, long headers, signed redirects, manifests of old and of other kinds.
"""

import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import Garbled, NotFound, Refused, Trouble, Unavailable
from controller.domain.build import Platform
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import RawServer, ScriptedServer

Respond = Callable[[web.Request], web.StreamResponse]
MANIFEST = b'{"schemaVersion":2,  "config":{},"layers":[]}'
OTHER = "sha256:" + "0" * 64
JWS = "application/vnd.docker.distribution.manifest.v1+prettyjws"
# Signed: the digest of such a manifest is of what stands before its signatures.
SCHEMA_1 = b'{"schemaVersion":1,"name":"team/node","fsLayers":[],"signatures":[{}]}'


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


DIGEST = digest_of(MANIFEST)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Respond:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=status, body=body, headers=names)


def by_method(head: Respond, get: Respond) -> Respond:
    """`/v2/` demands nothing."""

    def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/v2/":
            return web.Response()
        return (head if request.method == "HEAD" else get)(request)

    return respond


class Asked:
    """A client of a server, and what it was asked."""

    def __init__(self, server: ScriptedServer, session: aiohttp.ClientSession) -> None:
        self.client = RegistryClient(session, FakeClock(), Random(1))
        self.repository = Repository(server.netloc, "team/node")
        self._server = server

    async def head(self, reference: str = "latest") -> str:
        return await self.client.head(self.repository, reference)

    async def build(self, digest: str) -> str:
        return await self.client.build(self.repository, digest, Platform())

    def methods(self) -> list[str]:
        """Of requests for manifests."""
        return [one.split()[0] for one in self._server.requests if "/manifests/" in one]

    async def trouble(self, kind: type[Trouble]) -> str:
        with pytest.raises(kind) as caught:
            await self.head()
        assert str(self.repository) in str(caught.value)
        return str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        answering(404),
        answering(405),
        answering(400),
        answering(403),
        answering(501),
        answering(),
        answering(docker_content_digest=""),
        answering(docker_content_digest="  "),
    ],
    ids=["404", "405", "400", "403", "501", "no digest", "empty digest", "blank digest"],
)
async def test_one_get_decides(session: aiohttp.ClientSession, head: Respond) -> None:
    """Does one GET tell what a registry that has no use for HEAD does not?"""
    async with ScriptedServer(by_method(head, answering(body=MANIFEST))) as server:
        asked = Asked(server, session)

        assert await asked.head() == DIGEST
        assert asked.methods() == ["HEAD", "GET"]


async def test_the_get_may_leave_the_digest_out_too(session: aiohttp.ClientSession) -> None:
    """Is an empty digest on the GET no digest, and the bytes what counts?"""
    respond = by_method(answering(405), answering(body=MANIFEST, docker_content_digest=""))
    async with ScriptedServer(respond) as server:
        assert await Asked(server, session).head() == DIGEST


async def test_digest_that_contradicts_the_body(session: aiohttp.ClientSession) -> None:
    """Is a GET whose header is of other bytes no answer, after a HEAD that did not tell?"""
    respond = by_method(answering(404), answering(body=MANIFEST, docker_content_digest=OTHER))
    async with ScriptedServer(respond) as server:
        assert OTHER in await Asked(server, session).trouble(Garbled)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (405, Refused), (500, Unavailable), (410, Refused)]
)
async def test_the_get_is_final(
    session: aiohttp.ClientSession, status: int, kind: type[Trouble]
) -> None:
    """Is what the one GET answers the end of it?"""
    async with ScriptedServer(by_method(answering(404), answering(status))) as server:
        asked = Asked(server, session)
        await asked.trouble(kind)

        assert asked.methods() == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 304])
async def test_a_server_in_trouble_is_asked_once(
    session: aiohttp.ClientSession, status: int
) -> None:
    """Is nothing asked twice of a registry that cannot answer?"""
    async with ScriptedServer(answering(status)) as server:
        asked = Asked(server, session)
        with pytest.raises(Trouble):
            await asked.head()

        assert len(server.requests) == 1


@pytest.mark.parametrize("is_named", [True, False], ids=["by type", "by content"])
@pytest.mark.parametrize("head", [answering(404), answering(docker_content_digest=OTHER)])
async def test_signed_schema_1(
    session: aiohttp.ClientSession, head: Respond, is_named: bool
) -> None:
    """Is a manifest of schema 1 told as such, though its digest is not of its bytes?"""
    headers = {"Content-Type": JWS if is_named else "application/json"}
    get = answering(body=SCHEMA_1, docker_content_digest=OTHER, **headers)
    async with ScriptedServer(by_method(head, get)) as server:
        asked = Asked(server, session)
        with pytest.raises(Refused, match="obsolete schema 1, which docker and containerd take"):
            await asked.build(await asked.head())


async def test_schema_1_is_known_by_a_head(session: aiohttp.ClientSession) -> None:
    """Is no pull spent on what a HEAD says is of schema 1?"""
    head = answering(docker_content_digest=OTHER, **{"Content-Type": JWS})
    async with ScriptedServer(by_method(head, answering(500))) as server:
        asked = Asked(server, session)
        await asked.trouble(Refused)

        assert asked.methods() == ["HEAD"]


@pytest.mark.parametrize(
    "place",
    [
        "/a%2Fb/c+d%20e?sig=x%2By%3D%3D&t=%7e&u=~&v=a+b&w=%e4%F6&empty=",
        "/%41?X-Amz-Signature=%2F+%2B&X-Amz-Credential=a%2fb/c&;=:@!$'(),*",
        "/a//b/../c/./d?x=%",
        "/?",
    ],
)
async def test_signed_redirect(session: aiohttp.ClientSession, place: str) -> None:
    """Is a redirect followed byte for byte, at another host, and along the same one?"""
    paths: list[str] = []

    def storage(request: web.Request) -> web.Response:
        paths.append(request.raw_path)
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    async with ScriptedServer(storage) as store:
        redirect = answering(307, Location=store.url + place + "#fragment")
        async with ScriptedServer(redirect) as server:
            assert await Asked(server, session).head() == DIGEST

    assert paths == [place.removesuffix("?")]


async def test_relative_redirect(session: aiohttp.ClientSession) -> None:
    """Is a redirect without a host, signed, followed byte for byte too?"""
    paths: list[str] = []

    def respond(request: web.Request) -> web.Response:
        paths.append(request.raw_path)
        if "sig" in request.raw_path:
            return web.Response(headers={"Docker-Content-Digest": DIGEST})
        return web.Response(status=302, headers={"Location": "/x%2Fy?sig=%2B+%7e"})

    async with ScriptedServer(respond) as server:
        assert await Asked(server, session).head() == DIGEST

    assert paths[1] == "/x%2Fy?sig=%2B+%7e"


async def test_redirect_with_letters_of_other_alphabets(session: aiohttp.ClientSession) -> None:
    """Are bytes that no request line can hold percent-encoded, and the rest left alone?"""
    paths: list[str] = []

    def storage(request: web.Request) -> web.Response:
        paths.append(request.raw_path)
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    async with ScriptedServer(storage) as store:
        location = f"{store.url}/ä b%2F?x=ö+".encode()
        raw = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
        async with RawServer(raw) as server:
            client = RegistryClient(session, FakeClock(), Random(1))
            repository = Repository(f"127.0.0.1:{server.port}", "a")
            assert await client.head(repository, "latest") == DIGEST

    assert paths == ["/%C3%A4%20b%2F?x=%C3%B6+"]


@pytest.mark.parametrize(("length", "is_taken"), [(9_000, True), (60_000, True), (70_000, False)])
async def test_long_headers(session: aiohttp.ClientSession, length: int, is_taken: bool) -> None:
    """Are headers of up to 64 KiB read, such as a Link or a policy, and longer ones refused?"""
    respond = answering(docker_content_digest=DIGEST, link="<" + "x" * length + ">")
    async with ScriptedServer(respond) as server:
        asked = Asked(server, session)
        if is_taken:
            assert await asked.head() == DIGEST
        else:
            assert "answers with a header that is too long" in await asked.trouble(Garbled)


async def test_long_token(session: aiohttp.ClientSession) -> None:
    """Is a token of 20 KB fetched and sent?"""
    token = "t" * 20_000
    sent: list[str] = []

    def respond(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"token": token})
        sent.append(request.headers.get("Authorization", ""))
        if sent[-1]:
            return web.Response(headers={"Docker-Content-Digest": DIGEST})
        challenge = f'Bearer realm="{server.url}/token"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    server = ScriptedServer(respond, longest_header=32_000)
    async with server:
        assert await Asked(server, session).head() == DIGEST

    assert sent == ["", f"Bearer {token}"]


async def test_packed_manifest(session: aiohttp.ClientSession) -> None:
    """Is the digest of a manifest that a CDN packed, unasked, that of what it was before?"""
    packed = answering(body=gzip.compress(MANIFEST), content_encoding="gzip")
    async with ScriptedServer(by_method(answering(), packed)) as server:
        asked = Asked(server, session)

        assert await asked.head() == DIGEST
        assert await asked.build(DIGEST) == DIGEST
        assert {one["Accept-Encoding"] for one in server.headers} == {"identity"}


async def test_packed_bomb(session: aiohttp.ClientSession) -> None:
    """Is a small body that unpacks to far too much given up?"""
    bomb = answering(body=gzip.compress(bytes(64 << 20)), content_encoding="gzip")
    async with ScriptedServer(by_method(answering(), bomb)) as server:
        assert "more than 4194304 bytes" in await Asked(server, session).trouble(Garbled)


async def test_brotli(session: aiohttp.ClientSession) -> None:
    """Is an encoding that nobody asked for refused by name, and does it not hide a status?"""
    async with ScriptedServer(
        by_method(answering(), answering(body=b"\x0b\x02\x80{}\x03", content_encoding="br"))
    ) as server:
        sentence = await Asked(server, session).trouble(Garbled)
        assert "answers in the encoding 'br' though none was asked for" in sentence
    async with ScriptedServer(
        by_method(
            answering(docker_content_digest=DIGEST, content_encoding="br"),
            answering(404, body=b"\x0b\x02\x80{}\x03", content_encoding="br"),
        )
    ) as server:
        asked = Asked(server, session)
        assert await asked.head() == DIGEST
        with pytest.raises(NotFound, match="no manifest sha256:"):
            await asked.build(DIGEST)


def image(config: bytes) -> bytes:
    kind = "application/vnd.oci.image.config.v1+json"
    described = {"mediaType": kind, "digest": digest_of(config), "size": len(config)}
    return json.dumps({"schemaVersion": 2, "config": described, "layers": []}).encode()


def serving(*documents: bytes) -> Respond:
    """By digest."""
    kept = {digest_of(document): document for document in documents}
    return lambda request: web.Response(body=kept[request.path.rpartition("/")[2]])


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
async def test_index_without_platforms(session: aiohttp.ClientSession, arch: str) -> None:
    """Does an image's own configuration tell of which platform it is, where its index does not?"""
    config = json.dumps({"os": "linux", "architecture": arch}).encode()
    manifest = image(config)
    entries: list[dict[str, Any]] = [{"digest": digest_of(manifest), "size": len(manifest)}]
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    async with ScriptedServer(serving(config, manifest, index)) as server:
        asked = Asked(server, session)
        if arch == "amd64":
            assert await asked.build(digest_of(index)) == digest_of(manifest)
        else:
            with pytest.raises(Refused, match="no image for linux/amd64; it has linux/arm64"):
                await asked.build(digest_of(index))

        assert len(server.requests) == 3


async def test_helm_chart(session: aiohttp.ClientSession) -> None:
    """Is a tag behind which stands a Helm chart refused in one sentence, at one pull?"""
    config = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": OTHER, "size": 2}
    chart = json.dumps({"schemaVersion": 2, "config": config, "layers": []}).encode()
    async with ScriptedServer(serving(chart)) as server:
        asked = Asked(server, session)
        with pytest.raises(Refused, match="it is no image but a Helm chart"):
            await asked.build(digest_of(chart))

        assert len(server.requests) == 1
