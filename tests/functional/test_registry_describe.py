"""What the registry client tells of a build, against small servers that fail one after the other.

Included: requests, redirects, failures of each of the three, what is remembered. Excluded: what
the documents mean (tests/unit/test_registry_build_facts.py), the simulator
(test_registry_simulated.py).
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from controller.domain.evidence import BuildFacts
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from tests.fakes import FakeClock
from tests.misbehaving import RawServer, ScriptedServer, closed_port

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
COMMIT = "c0ffee00" * 5
LABELS = {
    "org.opencontainers.image.version": "1.14.0",
    "org.opencontainers.image.revision": COMMIT,
}
REPOSITORY = Repository("docker.io", "team/node")
PING = "GET /v2/"
TAGS = "GET /v2/namespaces/team/repositories/node/tags?page_size=100"
MIB = 1 << 20

Respond = Callable[[web.Request], web.StreamResponse]


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Respond:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=status, body=body, headers=names)


class Image:
    """One image: its documents and their digests."""

    def __init__(self, **more: Any) -> None:
        self.config = json.dumps({"config": {"Labels": LABELS}} | more).encode()
        self.config_digest = digest_of(self.config)
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "config": {"mediaType": CONFIG_TYPE, "digest": self.config_digest, "size": 1},
                "layers": [],
            }
        ).encode()
        self.build = digest_of(self.manifest)
        self.manifest_request = f"GET /v2/team/node/manifests/{self.build}"
        self.blob_request = f"GET /v2/team/node/blobs/{self.config_digest}"


IMAGE = Image()


class World:
    """A registry, which stands for docker.io, and Docker Hub's web API, as two servers.

    manifest, blob, tags: what answers each of the three requests; each test sets its own.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.clock = FakeClock()
        self.manifest: Respond = answering(body=IMAGE.manifest)
        self.blob: Respond = answering(body=IMAGE.config)
        self.tags: Respond = self.list_tags("latest", "v1.14.0")
        self.registry = ScriptedServer(self._registry)
        self.hub = ScriptedServer(lambda request: self.tags(request))
        self._session = session
        self._client: RegistryClient | None = None

    def _registry(self, request: web.Request) -> web.StreamResponse:
        return (self.blob if "/blobs/" in request.path else self.manifest)(request)

    @staticmethod
    def list_tags(*names: str) -> Respond:
        results = [{"name": name, "images": [{"digest": IMAGE.build}]} for name in names]
        return answering(body=json.dumps({"results": results}).encode())

    @property
    def client(self) -> RegistryClient:
        """One for all calls of a test."""
        if self._client is None:
            self._client = self.asking(self.registry.url, self.hub.url)
        return self._client

    def asking(self, registry: str, hub: str) -> RegistryClient:
        mirrors = Mirrors.parse([f"docker.io={registry}", f"hub.docker.com={hub}"])
        return RegistryClient(self._session, self.clock, Random(1), mirrors=mirrors)

    async def describe(self, tag: str = "latest", build: str = IMAGE.build) -> BuildFacts:
        return await self.client.describe(REPOSITORY, tag, build)

    @property
    def requests(self) -> list[str]:
        return self.registry.requests + self.hub.requests


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as session:
        made = World(session)
        async with made.registry, made.hub:
            yield made


async def test_three_requests(world: World) -> None:
    """Are labels and other tags told, for one pull, one blob and one list?"""
    assert await world.describe() == BuildFacts("1.14.0", COMMIT, ("v1.14.0",))
    assert world.requests == [IMAGE.manifest_request, IMAGE.blob_request, TAGS]


async def test_another_registry_is_not_docker_hub(world: World) -> None:
    """Is a build elsewhere described by two requests, and its registry not asked for a list?"""
    elsewhere = Repository(world.registry.netloc, "team/node")
    facts = await world.client.describe(elsewhere, "latest", IMAGE.build)

    assert (facts.commit, facts.tags, facts.unread) == (COMMIT, (), ())
    assert world.requests == [IMAGE.manifest_request, IMAGE.blob_request]


async def test_what_an_image_says_is_asked_once(world: World) -> None:
    """Does a second call for the same build cost the list of tags alone?"""
    first = await world.describe()
    world.tags = world.list_tags("v1.14.0", "later")

    assert (await world.describe()).tags == ("v1.14.0", "later")
    assert (await world.describe()).commit == first.commit
    assert world.requests == [IMAGE.manifest_request, IMAGE.blob_request] + [TAGS] * 3


async def test_what_failed_is_asked_again(world: World) -> None:
    """Is nothing remembered of an image that could not be read to its end?"""
    world.blob = answering(500)
    assert (await world.describe()).unread
    world.blob = answering(body=IMAGE.config)

    assert (await world.describe()).commit == COMMIT


async def test_memory_is_bounded(world: World) -> None:
    """Is the build that was described first forgotten, after many others?"""
    images = [Image(number=number) for number in range(65)]
    manifests = {image.manifest_request: image.manifest for image in images}
    blobs = {image.blob_request: image.config for image in images}
    world.manifest = lambda request: web.Response(body=manifests[f"GET {request.path}"])
    world.blob = lambda request: web.Response(body=blobs[f"GET {request.path}"])
    for image in images:
        assert (await world.describe(build=image.build)).commit == COMMIT
    asked = len(world.registry.requests)
    await world.describe(build=images[1].build)
    assert len(world.registry.requests) == asked
    await world.describe(build=images[0].build)
    assert len(world.registry.requests) == asked + 2


def _redirected(location: str) -> Respond:
    return answering(307, location=location)


async def test_blob_from_elsewhere_gets_no_credentials(world: World) -> None:
    """Is the configuration fetched from where the registry sends us, without its token [74]?"""

    def leave(request: web.Request, granted: Respond) -> web.StreamResponse:
        if request.headers.get("Authorization") == "Bearer secret-token":
            return granted(request)
        challenge = f'Bearer realm="{tokens.url}/token",service="s"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with (
        ScriptedServer(lambda _: web.json_response({"token": "secret-token"})) as tokens,
        ScriptedServer(answering(body=IMAGE.config)) as cdn,
    ):
        world.manifest = lambda request: leave(request, answering(body=IMAGE.manifest))
        world.blob = lambda request: leave(request, _redirected(f"{cdn.url}/x?signed=1"))
        facts = await world.describe()

        assert (facts.commit, facts.unread) == (COMMIT, ())
        assert cdn.requests == ["GET /x?signed=1"]
        assert "Authorization" not in cdn.headers[0]
        assert world.registry.headers[-1]["Authorization"] == "Bearer secret-token"
        assert len(tokens.requests) == 1
        assert "Authorization" not in world.hub.headers[0]
        assert "Cookie" not in world.hub.headers[0]


async def test_docker_hub_is_given_no_credentials(world: World) -> None:
    """Is the list of tags not open to us, rather than a challenge answered with what we have?"""
    world.tags = answering(401, www_authenticate=f'Bearer realm="{world.registry.url}/token"')
    facts = await world.describe()

    assert (facts.commit, facts.tags) == (COMMIT, ())
    assert facts.unread == (
        f"its other tags: {REPOSITORY}: Docker Hub's list of tags is not open to all",
    )
    assert world.requests == [IMAGE.manifest_request, IMAGE.blob_request, TAGS]


HTML = b"<html><body>Sign in to the hotel's network</body></html>"
SCHEMA_1 = b'{"schemaVersion":1,"name":"team/node","fsLayers":[],"history":[]}'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answering(401), "login that is not known"),
        (answering(403), "no access, or no such repository"),
        (answering(404), "no manifest sha256:"),
        (answering(500), "answers 500"),
        (answering(body=HTML), "do not have the digest"),
        (answering(body=Image(x=1).manifest), "do not have the digest"),
        (answering(body=b"x" * (5 * MIB)), "more than 4194304 bytes"),
        (answering(), "empty manifest"),
    ],
    ids=["401", "403", "404", "500", "HTML", "lie", "huge", "empty"],
)
async def test_manifest_fails(world: World, answer: Respond, words: str) -> None:
    """Is the build described by its tags alone, and said why, where its manifest is not had?"""
    world.manifest = answer
    world.tags = world.list_tags("latest", "v1.14.0", "c0ffee00")
    facts = await world.describe()

    assert (facts.version, facts.commit) == ("v1.14.0", "c0ffee00")
    assert facts.tags == ("v1.14.0", "c0ffee00")
    assert len(facts.unread) == 1
    assert facts.unread[0].startswith("its labels: ")
    assert words in facts.unread[0]
    assert str(REPOSITORY) in facts.unread[0]
    assert [one for one in world.requests if one != PING] == [IMAGE.manifest_request, TAGS]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SCHEMA_1, "obsolete schema 1"),
        (HTML, "is not a manifest"),
        (b'{"schemaVersion":2,"manifests":[]}', "it is an index"),
        (b'{"schemaVersion":2,"config":{"mediaType":"x"},"layers":[]}', "it is no image"),
    ],
    ids=["schema 1", "HTML", "index", "artifact"],
)
async def test_documents_of_unknown_shape(world: World, body: bytes, words: str) -> None:
    """Is a document that is no image's manifest, with the right digest, told as unknown?"""
    world.manifest = answering(body=body)
    facts = await world.describe(build=digest_of(body))

    assert facts.commit == ""
    assert words in facts.unread[0]
    assert len(world.registry.requests) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answering(401), "login that is not known"),
        (answering(403), "no access, or no such repository"),
        (answering(404), "no blob sha256:"),
        (answering(500), "answers 500"),
        (answering(206, body=IMAGE.config), "answers 206"),
        (answering(body=HTML), "do not have the digest"),
        (answering(body=IMAGE.config + b"\n"), "do not have the digest"),
        (answering(body=b" " * (2 * MIB)), "more than 1048576 bytes"),
        (answering(), "do not have the digest"),
        (_redirected("ftp://elsewhere/x"), "no URL of HTTP"),
    ],
    ids=["401", "403", "404", "500", "206", "HTML", "lie", "huge", "empty", "ftp"],
)
async def test_blob_fails(world: World, answer: Respond, words: str) -> None:
    """Is the build described by its tags alone, and said why, where its labels are not had?"""
    world.blob = answer
    facts = await world.describe("c0ffee00")

    assert (facts.version, facts.commit) == ("v1.14.0", "c0ffee00")
    assert len(facts.unread) == 1
    assert facts.unread[0].startswith("its labels: ")
    assert words in facts.unread[0]
    asked = [one for one in world.requests if one != PING]
    assert asked == [IMAGE.manifest_request, IMAGE.blob_request, TAGS]


async def test_configuration_that_is_none(world: World) -> None:
    """Is a blob that has its digest and is no configuration told as such?"""
    document = json.loads(IMAGE.manifest)
    document["config"]["digest"] = digest_of(HTML)
    body = json.dumps(document).encode()
    world.manifest, world.blob = answering(body=body), answering(body=HTML)
    facts = await world.describe(build=digest_of(body))

    (said,) = facts.unread
    assert said.startswith(f"its labels: {REPOSITORY} (asked at ")
    assert said.endswith("): its configuration cannot be read")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answering(403), "is not open to all"),
        (answering(404, body=b'{"message":"object not found"}'), "no such repository that is open"),
        (answering(400), "answers 400"),
        (answering(500), "answers 500"),
        (answering(204), "answers 204"),
        (answering(body=HTML), "not in the form that is documented"),
        (answering(body=b'{"message":"ok"}'), "not in the form that is documented"),
        (answering(), "not in the form that is documented"),
        (answering(body=b" " * (3 * MIB)), "more than 2097152 bytes"),
        (_redirected("/loop"), "redirects more than"),
    ],
    ids=["403", "404", "400", "500", "204", "HTML", "other", "empty", "huge", "loop"],
)
async def test_list_of_tags_fails(world: World, answer: Respond, words: str) -> None:
    """Are the labels told, and why the other tags are not?"""
    world.tags = answer
    facts = await world.describe()

    assert (facts.version, facts.commit, facts.tags) == ("1.14.0", COMMIT, ())
    assert len(facts.unread) == 1
    assert facts.unread[0].startswith(f"its other tags: {REPOSITORY}: ")
    assert words in facts.unread[0]


async def test_what_the_list_of_tags_says(world: World) -> None:
    """Are Docker Hub's own words told, of a refusal and of a limit?"""
    body = b'{"message":"too many pages"}'
    world.tags = lambda _: web.Response(status=400, body=body, content_type="application/json")
    assert (await world.describe()).unread[0].endswith("answers 400; it says 'too many pages'")

    world.tags = lambda _: web.Response(status=429, text="Too Many Requests")
    assert (await world.describe()).unread[0].endswith("; it says 'Too Many Requests'")


async def test_nobody_answers(world: World) -> None:
    """Is what the followed tag says told, where neither server is there?"""
    nobody = f"http://127.0.0.1:{await closed_port()}"
    facts = await world.asking(nobody, nobody).describe(REPOSITORY, "c0ffee00-r", IMAGE.build)

    assert (facts.commit, facts.tags) == ("c0ffee00", ())
    assert [sentence.partition(":")[0] for sentence in facts.unread] == [
        "its labels",
        "its other tags",
    ]


async def test_build_that_is_no_digest(world: World) -> None:
    """Is text that could change the path of a request never sent, and no exception raised?"""
    facts = await world.describe(build="../../_catalog")

    assert "is not a digest" in facts.unread[0]
    assert world.registry.requests == []


@pytest.mark.parametrize("which", ["manifest", "blob"])
async def test_busy_registry_is_left_alone(world: World, which: str) -> None:
    """Is nothing asked of either host until the wait is over: the abuse limit counts both [78]?"""
    setattr(world, which, answering(429, retry_after="120"))
    facts = await world.describe("c0ffee00")
    asked = len(world.requests)
    assert world.hub.requests == []
    assert facts.commit == "c0ffee00"
    assert len(facts.unread) == 2
    assert all("asks us to wait" in sentence for sentence in facts.unread)

    await world.clock.advance(119.0)
    await world.describe()
    assert len(world.requests) == asked

    world.manifest, world.blob = answering(body=IMAGE.manifest), answering(body=IMAGE.config)
    await world.clock.advance(2.0)
    assert (await world.describe()).unread == ()


async def test_busy_list_of_tags_leaves_the_registry_alone(world: World) -> None:
    """Does a limit of Docker Hub's web API, given as a moment [79], hold for that API alone?"""
    until = world.clock.now().timestamp() + 300
    world.tags = answering(429, x_retry_after=f"{until:.0f}", date="")
    facts = await world.describe()
    assert facts.commit == COMMIT
    assert "asks us to wait" in facts.unread[0]
    await world.describe()
    assert len(world.hub.requests) == 1

    world.manifest = answering(docker_content_digest=IMAGE.build)
    assert await world.client.head(REPOSITORY, "latest") == IMAGE.build
    world.tags = world.list_tags("v1.14.0")
    await world.clock.advance(301.0)
    assert (await world.describe()).tags == ("v1.14.0",)


async def test_quota_is_learnt_from_a_description(world: World) -> None:
    """Is the pull that a description costs seen in what the registry says is left?"""
    world.manifest = answering(
        body=IMAGE.manifest, ratelimit_limit="100;w=21600", ratelimit_remaining="75;w=21600"
    )
    await world.describe()
    quota = world.client.quota(REPOSITORY)

    assert quota is not None
    assert quota.remaining == 75


async def test_hanging_servers_are_given_up(world: World) -> None:
    """Is each server that says nothing given up after its time, and the answer given without it?"""
    async with RawServer(None) as registry, RawServer(None) as hub:
        client = world.asking(*(f"http://127.0.0.1:{server.port}" for server in (registry, hub)))
        call = asyncio.create_task(client.describe(REPOSITORY, "v1.14.0", IMAGE.build))
        for server in (registry, hub):
            await server.accepted.wait()
            await world.clock.advance(30.0)
        facts = await call

    assert facts.version == "v1.14.0"
    assert [sentence.endswith("did not answer within 30s") for sentence in facts.unread] == [
        True
    ] * 2


async def test_cancelled(world: World) -> None:
    """Does cancelling a call end it, as cancelled and nothing else?"""
    async with RawServer(None) as server:
        client = world.asking(f"http://127.0.0.1:{server.port}", world.hub.url)
        call = asyncio.create_task(client.describe(REPOSITORY, "latest", IMAGE.build))
        await server.accepted.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert world.hub.requests == []


async def test_sentences_are_safe_to_show(world: World) -> None:
    """Is no sentence longer than a few lines, whatever a server put into its answers?"""
    evil = "\x1b[2J\u202e" + "x" * 10_000
    document = json.loads(IMAGE.manifest)
    document["config"]["mediaType"] = evil
    body = json.dumps(document).encode()
    world.manifest, world.tags = answering(body=body), answering(body=evil.encode())
    facts = await world.describe(build=digest_of(body))

    assert len(facts.unread) == 2
    for sentence in facts.unread:
        assert len(sentence) <= 400
        assert sentence.isprintable()
