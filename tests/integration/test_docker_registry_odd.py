"""Debian's docker-registry with what is unusual in it, and behind proxies with habits."""

import gzip
import hashlib
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import NotFound, Refused
from controller.domain.build import Platform
from controller.domain.evidence import BuildFacts
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from controller.registry.transport import registry_session
from tests.fakes import FakeClock
from tests.misbehaving import ScriptedServer
from tests.registry_server import OCI_MANIFEST, Pusher, docker_registry, platform
from tests.signed_schema_1 import SIGNED, signed_manifest

AMD64 = Platform()
LABELS = {"org.opencontainers.image.version": "1.14.0"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with registry_session() as made:
        yield made


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with docker_registry(tmp_path_factory.mktemp("registry"), schema_1=True) as made:
        yield made


@pytest.fixture
def client(session: aiohttp.ClientSession) -> RegistryClient:
    return RegistryClient(session, FakeClock(), Random(1))


def pusher(session: aiohttp.ClientSession, port: int, name: str) -> Pusher:
    return Pusher(session, f"http://127.0.0.1:{port}", name)


async def artifact(push: Pusher, config_type: str, **more: Any) -> dict[str, Any]:
    """Pushes what is no image under `latest`."""
    config = {"mediaType": config_type, **await push.blob(b"{}")}
    layer = {"mediaType": "application/octet-stream", **await push.blob(b"chart")}
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config,
        "layers": [layer],
        **more,
    }
    return await push.manifest("latest", document)


@pytest.mark.parametrize(
    ("config_type", "more", "words"),
    [
        ("application/vnd.cncf.helm.config.v1+json", {}, "it is no image but a Helm chart"),
        (
            "application/vnd.oci.empty.v1+json",
            {"artifactType": "application/spdx+json"},
            r"no image but an artifact of the type 'application/spdx\+json'",
        ),
    ],
    ids=["helm", "sbom"],
)
async def test_artifacts(
    session: aiohttp.ClientSession,
    client: RegistryClient,
    port: int,
    config_type: str,
    more: dict[str, Any],
    words: str,
) -> None:
    """Is a tag behind which stands no image refused in one sentence?"""
    name = "artifacts"
    pushed = await artifact(pusher(session, port, name), config_type, **more)
    repository = Repository(f"127.0.0.1:{port}", name)

    assert await client.head(repository, "latest") == pushed["digest"]
    with pytest.raises(Refused, match=words):
        await client.build(repository, pushed["digest"], AMD64)


async def test_index_that_names_no_platform(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Is the only image of an index without platforms found, for its own platform alone?"""
    push = pusher(session, port, "unnamed")
    image = await push.image("x")
    index = await push.index("latest", [image])
    repository = Repository(f"127.0.0.1:{port}", "unnamed")

    assert await client.build(repository, index["digest"], AMD64) == image["digest"]
    with pytest.raises(Refused, match="no image for linux/arm64; it has linux/amd64"):
        await client.build(repository, index["digest"], Platform("linux", "arm64"))


async def test_nydus_beside_the_image(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Is the image chosen beside one that only machines with nydus can run?"""
    push = pusher(session, port, "nydus")
    converted = platform(await push.image("converted"), "amd64")
    converted["platform"]["os.features"] = ["nydus.remoteimage.v1"]
    image = await push.image("plain")
    index = await push.index("latest", [converted, platform(image, "amd64")])
    repository = Repository(f"127.0.0.1:{port}", "nydus")

    assert await client.build(repository, index["digest"], AMD64) == image["digest"]


async def test_signed_schema_1(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Is an image of old told as of schema 1, by its HEAD already?"""
    layer = await pusher(session, port, "old").blob(b"layer")
    body, digest = signed_manifest("old", "latest", layer["digest"])
    url = f"http://127.0.0.1:{port}/v2/old/manifests/latest"
    async with session.put(url, data=body, headers={"Content-Type": SIGNED}) as reply:
        assert reply.status == 201, await reply.text()
        assert reply.headers["Docker-Content-Digest"] == digest
    assert digest != "sha256:" + hashlib.sha256(body).hexdigest()
    repository = Repository(f"127.0.0.1:{port}", "old")

    for asked in (client.head(repository, "latest"), client.build(repository, digest, AMD64)):
        with pytest.raises(Refused, match="obsolete schema 1, which docker and containerd take no"):
            await asked


class Habits:
    """A proxy before the registry. no_head: the status of every HEAD, 0 for what the registry
    answers. packs: bodies of manifests are sent in gzip. hides_digest: as old registries.
    """

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.no_head = 0
        self.packs = False
        self.hides_digest = False
        self.server = ScriptedServer(self._forward)
        self._session = session
        self._port = port

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD" and self.no_head:
            return web.Response(status=self.no_head)
        url = f"http://127.0.0.1:{self._port}{request.path_qs}"
        headers = {"Accept": request.headers.get("Accept", "*/*")}
        async with self._session.request(request.method, url, headers=headers) as reply:
            body = await reply.read()
            kept = ("Content-Type", "Docker-Content-Digest", "Content-Length")
            answer = {name: value for name, value in reply.headers.items() if name in kept}
        if self.hides_digest:
            answer.pop("Docker-Content-Digest", None)
        if request.method == "HEAD":
            return web.Response(status=reply.status, headers=answer)
        answer.pop("Content-Length", None)
        if self.packs:
            answer["Content-Encoding"], body = "gzip", gzip.compress(body)
        return web.Response(status=reply.status, headers=answer, body=body)


@pytest.mark.parametrize(
    ("no_head", "hides_digest", "packs"),
    [(405, False, False), (404, True, False), (403, False, True), (0, True, True)],
)
async def test_habits_of_proxies(
    session: aiohttp.ClientSession, port: int, no_head: int, hides_digest: bool, packs: bool
) -> None:
    """Are a tag, its build and its labels found behind a proxy that knows no HEAD, leaves digests
    out, and packs what it sends?
    """
    push = pusher(session, port, "habits")
    image = await push.image("x", labels=LABELS)
    index = await push.index("latest", [platform(image, "amd64")])
    proxy = Habits(session, port)
    proxy.no_head, proxy.hides_digest, proxy.packs = no_head, hides_digest, packs
    async with proxy.server as server:
        mirrors = Mirrors.parse([f"registry.example.com={server.url}"])
        client = RegistryClient(session, FakeClock(), Random(1), mirrors=mirrors)
        repository = Repository("registry.example.com", "habits")

        assert await client.head(repository, "latest") == index["digest"]
        assert await client.build(repository, index["digest"], AMD64) == image["digest"]
        facts = await client.describe(repository, "latest", image["digest"])
        assert facts == BuildFacts("1.14.0")
        gets = [one for one in server.requests if one == "GET /v2/habits/manifests/latest"]
        assert len(gets) == 1


async def test_missing_tag_behind_a_proxy_without_head(
    session: aiohttp.ClientSession, port: int
) -> None:
    """Is a tag that is not there told as such, though every HEAD is a 405?"""
    await pusher(session, port, "there").image("x", "latest")
    proxy = Habits(session, port)
    proxy.no_head = 405
    async with proxy.server as server:
        client = RegistryClient(session, FakeClock(), Random(1))
        with pytest.raises(NotFound, match="no tag nowhere in repository"):
            await client.head(Repository(server.netloc, "there"), "nowhere")


async def test_manifest_of_old_tools(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Is an image whose configuration has no type of its own still a build?"""
    push = pusher(session, port, "old-tool")
    pushed = await artifact(push, "application/octet-stream")
    repository = Repository(f"127.0.0.1:{port}", "old-tool")

    assert await client.build(repository, pushed["digest"], AMD64) == pushed["digest"]
