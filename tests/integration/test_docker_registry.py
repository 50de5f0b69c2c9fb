"""The registry client against Debian's docker-registry, without and with tokens."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import aiohttp
import pytest

from controller.base.errors import NotFound, Refused
from controller.domain.build import Platform
from controller.domain.evidence import BuildFacts
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from controller.registry.transport import registry_session
from tests.fakes import FakeClock
from tests.misbehaving import ScriptedServer
from tests.registry_server import Pusher, TokenServer, TokenSigner, docker_registry, platform

LOGIN = "Basic " + base64.b64encode(b"user:correct").decode()
AMD64 = Platform()
COMMIT = "c0ffee00" * 5
LABELS = {
    "org.opencontainers.image.version": "1.14.0",
    "org.opencontainers.image.revision": COMMIT,
}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with registry_session() as made:
        yield made


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a registry that is open to all."""
    with docker_registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.fixture
def client(session: aiohttp.ClientSession) -> RegistryClient:
    return RegistryClient(session, FakeClock(), Random(1))


def pusher(session: aiohttp.ClientSession, port: int, name: str) -> Pusher:
    return Pusher(session, f"http://127.0.0.1:{port}", name)


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker"])
async def test_index(
    session: aiohttp.ClientSession, client: RegistryClient, port: int, docker: bool
) -> None:
    """Is the index behind a tag found, and the platform's manifest in it, of either format?"""
    name = f"index/{'docker' if docker else 'oci'}"
    push = pusher(session, port, name)
    amd64 = await push.image("amd64", docker=docker)
    arm64 = await push.image("arm64", docker=docker)
    entries = [platform(arm64, "arm64"), platform(amd64, "amd64")]
    index = await push.index("latest", entries, docker=docker)
    repository = Repository(f"127.0.0.1:{port}", name)

    digest = await client.head(repository, "latest")
    assert digest == index["digest"]
    assert await client.build(repository, digest, AMD64) == amd64["digest"]
    assert await client.build(repository, digest, Platform("linux", "arm64")) == arm64["digest"]
    assert await client.head(repository, digest) == digest
    with pytest.raises(Refused, match="no image for linux/riscv64; it has linux/amd64"):
        await client.build(repository, digest, Platform("linux", "riscv64"))


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker"])
async def test_lone_manifest(
    session: aiohttp.ClientSession, client: RegistryClient, port: int, docker: bool
) -> None:
    """Is a tag of one manifest its own build, of either format?"""
    name = f"manifest/{'docker' if docker else 'oci'}"
    image = await pusher(session, port, name).image("x", "latest", docker=docker)
    repository = Repository(f"127.0.0.1:{port}", name)

    digest = await client.head(repository, "latest")
    assert digest == image["digest"]
    assert await client.build(repository, digest, AMD64) == digest


async def test_new_index_over_the_same_manifest_is_the_same_build(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Is a tag that was pushed again, with a new attestation beside it, still the same build?"""
    push = pusher(session, port, "rebuilt")
    amd64 = await push.image("amd64")
    repository = Repository(f"127.0.0.1:{port}", "rebuilt")
    digests, builds = [], []
    for attempt in ("first", "second"):
        attestation = platform(await push.image(f"attestation {attempt}"), "unknown", "unknown")
        attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
        await push.index("master", [attestation, platform(amd64, "amd64")])
        digests.append(await client.head(repository, "master"))
        builds.append(await client.build(repository, digests[-1], AMD64))

    assert digests[0] != digests[1]
    assert builds == [amd64["digest"]] * 2


@pytest.mark.parametrize("docker", [False, True], ids=["OCI", "Docker"])
async def test_labels(
    session: aiohttp.ClientSession, client: RegistryClient, port: int, docker: bool
) -> None:
    """Are the labels of the image behind an index told, of either format?"""
    name = f"labels/{'docker' if docker else 'oci'}"
    push = pusher(session, port, name)
    image = await push.image("x", docker=docker, labels=LABELS)
    await push.index("latest", [platform(image, "amd64")], docker=docker)
    repository = Repository(f"127.0.0.1:{port}", name)

    build = await client.build(repository, await client.head(repository, "latest"), AMD64)
    assert await client.describe(repository, "latest", build) == BuildFacts("1.14.0", COMMIT)


async def test_no_labels(session: aiohttp.ClientSession, client: RegistryClient, port: int) -> None:
    """Is an image without labels described by the tag that was followed?"""
    image = await pusher(session, port, "plain").image("x", "c0ffee00-r")
    repository = Repository(f"127.0.0.1:{port}", "plain")

    facts = await client.describe(repository, "c0ffee00-r", image["digest"])
    assert facts == BuildFacts(commit="c0ffee00")


async def test_nothing_to_describe(
    session: aiohttp.ClientSession, client: RegistryClient, port: int
) -> None:
    """Are an index and a build that is not there told as such?"""
    push = pusher(session, port, "indexed")
    index = await push.index("latest", [platform(await push.image("x"), "amd64")])
    repository = Repository(f"127.0.0.1:{port}", "indexed")

    facts = await client.describe(repository, "latest", index["digest"])
    assert "it is an index" in facts.unread[0]
    facts = await client.describe(repository, "latest", "sha256:" + "0" * 64)
    assert "no manifest sha256:" in facts.unread[0]


async def test_missing(session: aiohttp.ClientSession, client: RegistryClient, port: int) -> None:
    """Are a tag, a digest and a repository that are not there each told as not found?"""
    await pusher(session, port, "there").image("x", "latest")
    repository = Repository(f"127.0.0.1:{port}", "there")

    with pytest.raises(NotFound, match=r"no tag nowhere in repository .*/there"):
        await client.head(repository, "nowhere")
    with pytest.raises(NotFound, match="no manifest sha256:"):
        await client.build(repository, "sha256:" + "0" * 64, AMD64)
    with pytest.raises(NotFound, match=r"no tag latest in repository .*/not/there"):
        await client.head(Repository(f"127.0.0.1:{port}", "not/there"), "latest")


class GuardedRegistry:
    """A registry that wants tokens, its token server, and an image in `public` and in `private`."""

    def __init__(self, port: int, tokens: ScriptedServer, digest: str) -> None:
        self.host = f"127.0.0.1:{port}"
        self.tokens = tokens
        self.digest = digest


@pytest.fixture
async def guarded(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[GuardedRegistry]:
    signer = TokenSigner(tmp_path / "root.pem")
    rules = TokenServer(signer)
    rules.public.add("public")
    rules.private["private"] = LOGIN
    async with ScriptedServer(rules.respond) as tokens:
        with docker_registry(tmp_path, f"{tokens.url}/token", tmp_path / "root.pem") as port:
            digest = ""
            for name in ("public", "private"):
                leave = f"Bearer {signer.token({name: ['pull', 'push']})}"
                push = Pusher(session, f"http://127.0.0.1:{port}", name, leave)
                entry = platform(await push.image("x", labels=LABELS), "amd64")
                digest = (await push.index("latest", [entry]))["digest"]
            yield GuardedRegistry(port, tokens, digest)


def with_login(
    session: aiohttp.ClientSession, folder: Path, host: str, password: str
) -> RegistryClient:
    path = folder / "config.json"
    auth = base64.b64encode(f"user:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return RegistryClient(session, FakeClock(), Random(1), auth_file=path)


async def test_anonymous_token(client: RegistryClient, guarded: GuardedRegistry) -> None:
    """Is a public repository read with a token that nobody's name stands on, fetched once?"""
    repository = Repository(guarded.host, "public")

    assert await client.head(repository, "latest") == guarded.digest
    assert (await client.build(repository, guarded.digest, AMD64)).startswith("sha256:")
    assert await client.head(repository, "latest") == guarded.digest
    assert len(guarded.tokens.requests) == 1


async def test_no_access(client: RegistryClient, guarded: GuardedRegistry) -> None:
    """Is a private repository told as no access, like one that is not there?"""
    for name in ("private", "not/there"):
        with pytest.raises(Refused, match=f"{name}: no access, or no such repository"):
            await client.head(Repository(guarded.host, name), "latest")


async def test_what_it_says(client: RegistryClient, guarded: GuardedRegistry) -> None:
    """Is it told that no login was sent, and what the registry says itself of that?"""
    repository = Repository(guarded.host, "private")
    for asked in (
        client.head(repository, "latest"),
        client.build(repository, guarded.digest, AMD64),
    ):
        with pytest.raises(Refused, match="no login was sent: --registry-auth names no file"):
            await asked
    with pytest.raises(Refused, match="it says 'UNAUTHORIZED: authentication required'"):
        await client.build(repository, guarded.digest, AMD64)


async def test_password(
    tmp_path: Path, session: aiohttp.ClientSession, guarded: GuardedRegistry
) -> None:
    """Does the right password open a private repository?"""
    client = with_login(session, tmp_path, guarded.host, "correct")

    assert await client.head(Repository(guarded.host, "private"), "latest") == guarded.digest


async def test_wrong_password(
    tmp_path: Path, session: aiohttp.ClientSession, guarded: GuardedRegistry
) -> None:
    """Is a wrong password told as such, and sent once however often we ask?"""
    client = with_login(session, tmp_path, guarded.host, "wrong")
    for _ in range(3):
        with pytest.raises(Refused, match="are not accepted"):
            await client.head(Repository(guarded.host, "private"), "latest")

    assert len(guarded.tokens.requests) == 1


async def test_private_labels(
    tmp_path: Path, session: aiohttp.ClientSession, guarded: GuardedRegistry
) -> None:
    """Are a private image's manifest and configuration both fetched with one token?"""
    client = with_login(session, tmp_path, guarded.host, "correct")
    repository = Repository(guarded.host, "private")
    build = await client.build(repository, guarded.digest, AMD64)

    assert (await client.describe(repository, "latest", build)).commit == COMMIT
    assert len(guarded.tokens.requests) == 1


async def test_missing_tag_of_a_public_repository(
    client: RegistryClient, guarded: GuardedRegistry
) -> None:
    """Is a missing tag told as not found once a token has opened the repository?"""
    with pytest.raises(NotFound, match="no tag nowhere"):
        await client.head(Repository(guarded.host, "public"), "nowhere")
