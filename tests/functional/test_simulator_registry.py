"""The simulated registry, asked over real HTTP as pull clients ask."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from yarl import URL

from controller.domain.build import Platform
from controller.simulator.faults import Answer
from controller.simulator.registry import (
    HugeBody,
    LongHeaders,
    NoHead,
    Packed,
    Shape,
    SignedSchema1,
    SimulatedBuild,
    SimulatedRegistry,
    WithoutDigest,
    WrongDigest,
)
from tests.fakes import FakeClock

REPOSITORY = "avaplatform/avalanchego"
INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
ALL = ", ".join([INDEX, LIST, OCI, DOCKER])
BUILD = SimulatedBuild()


@dataclass
class Client:
    """Asks with a token of its own, got when it first needs one."""

    registry: SimulatedRegistry
    session: aiohttp.ClientSession
    clock: FakeClock
    token: str = ""
    last: dict[str, str] = field(default_factory=dict)

    async def log_in(self, user: tuple[str, str] | None = None) -> tuple[int, Any]:
        query = {"service": "registry.simulator", "scope": f"repository:{REPOSITORY}:pull"}
        basic = base64.b64encode(":".join(user or ()).encode()).decode()
        headers = {"Authorization": f"Basic {basic}"} if user else {}
        url = f"{self.registry.url}/token"
        async with self.session.get(url, params=query, headers=headers) as reply:
            if reply.status == 200:
                body = await reply.json()
                self.token = body.get("token") or body["access_token"]
                return reply.status, body
            return reply.status, await reply.text()

    async def ask(
        self, method: str, reference: str, accept: str = ALL, **more: str
    ) -> tuple[int, bytes]:
        headers = {"Accept": accept, **more}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"{self.registry.url}/v2/{REPOSITORY}/manifests/{reference}"
        async with self.session.request(method, url, headers=headers) as reply:
            self.last = dict(reply.headers)
            return reply.status, await reply.read()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = FakeClock()
    async with SimulatedRegistry(clock) as registry, aiohttp.ClientSession() as session:
        client = Client(registry, session, clock)
        await client.log_in()
        yield client


async def test_challenge_without_a_token(client: Client) -> None:
    """Does a request without a token get a 401 with a challenge that leads to the token server?"""
    client.token = ""
    status, _ = await client.ask("HEAD", "latest")
    assert status == 401
    assert client.last["WWW-Authenticate"] == (
        f'Bearer realm="{client.registry.url}/token",service="registry.simulator",'
        f'scope="repository:{REPOSITORY}:pull"'
    )


async def test_head_and_get_agree(client: Client) -> None:
    """Do HEAD and GET name the same digest, that of the very bytes?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    status, body = await client.ask("HEAD", "latest")
    assert (status, body) == (200, b"")
    assert client.last["Docker-Content-Digest"] == digest
    length = int(client.last["Content-Length"])
    status, body = await client.ask("GET", "latest")
    assert (status, len(body)) == (200, length)
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest
    assert (await client.ask("GET", digest))[1] == body


async def test_a_repush_is_a_new_index_over_the_same_build(client: Client) -> None:
    """Does building again move the index and leave the platform manifest?"""
    first = client.registry.push(REPOSITORY, "latest", BUILD)
    second = client.registry.repush(REPOSITORY, "latest")
    assert first != second
    for digest in (first, second):
        assert client.registry.platform_digest(digest) == BUILD.digest()
        assert client.registry.build_of(digest) == BUILD
    assert client.registry.platform_digest(second, Platform("linux", "arm64")) != BUILD.digest()


async def test_the_index_has_attestations(client: Client) -> None:
    """Are there manifests of platform unknown/unknown beside the real ones?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    reply = await client.ask("GET", "latest")

    platforms = [
        (entry["platform"]["os"], entry["platform"]["architecture"])
        for entry in json.loads(reply[1])["manifests"]
    ]
    assert platforms == [("linux", "amd64"), ("linux", "arm64")] + [("unknown", "unknown")] * 2


@pytest.mark.parametrize(
    ("shape", "accept", "status", "kind"),
    [
        (Shape.INDEX, ALL, 200, INDEX),
        (Shape.INDEX, f"{OCI}, {DOCKER}", 404, None),
        (Shape.INDEX, "*/*", 404, None),
        (Shape.LIST, ALL, 200, LIST),
        (Shape.LIST, DOCKER, 200, DOCKER),
        (Shape.SINGLE, ALL, 200, OCI),
        (Shape.SINGLE, DOCKER, 404, None),
    ],
)
async def test_accept(
    client: Client, shape: Shape, accept: str, status: int, kind: str | None
) -> None:
    """Does what the client accepts decide between index, platform manifest and 404?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD, shape)
    got, body = await client.ask("GET", "latest", accept)
    assert got == status
    if kind:
        assert client.last["Content-Type"] == kind
        told = client.last["Docker-Content-Digest"]
        assert told == (BUILD.digest(shape=shape) if kind == DOCKER else digest)
    else:
        assert b"MANIFEST_UNKNOWN" in body


async def test_single_manifest_is_its_own_build(client: Client) -> None:
    """Is a tag without an index its own platform manifest?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD, Shape.SINGLE)
    assert client.registry.platform_digest(digest) == digest == BUILD.digest()


async def test_not_modified(client: Client) -> None:
    """Is a known digest answered with 304?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    status, _ = await client.ask("GET", "latest", **{"If-None-Match": f'"{digest}"'})
    assert status == 304


async def test_unknown_tag(client: Client) -> None:
    """Is what is not there a 404 MANIFEST_UNKNOWN?"""
    status, body = await client.ask("GET", "nothing")
    assert (status, b"MANIFEST_UNKNOWN" in body) == (404, True)


async def test_a_get_counts_and_a_head_does_not(client: Client) -> None:
    """Is a pull counted for GET alone, and told in the headers of both?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    await client.ask("HEAD", "latest")
    assert client.last["ratelimit-remaining"] == "100;w=21600"
    await client.ask("GET", "latest")
    await client.ask("HEAD", "latest")
    assert client.last["ratelimit-remaining"] == "99;w=21600"
    assert (client.registry.counts.heads, client.registry.counts.gets) == (2, 1)


async def test_pull_limit(client: Client) -> None:
    """With no pulls left, is GET a 429 in JSON while HEAD goes on?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.quota.remaining = 0
    status, body = await client.ask("GET", "latest")
    assert (status, b"TOOMANYREQUESTS" in body) == (429, True)
    assert (await client.ask("HEAD", "latest"))[0] == 200


async def test_abuse_limit(client: Client) -> None:
    """Does the abuse limit hit HEAD too, in plain text?"""
    client.registry.quota.abused = True
    client.registry.quota.retry_after = 7
    assert (await client.ask("HEAD", "latest"))[0] == 429
    assert client.last["Retry-After"] == "7"
    assert (await client.ask("GET", "latest"))[1] == b"Too Many Requests\n"


async def test_tokens_expire(client: Client) -> None:
    """Is a token refused when its time is over, and 60 seconds when none was said?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.rules.expires_in = None
    status, body = await client.log_in()
    assert (status, "expires_in" in body) == (200, False)
    await client.clock.advance(59)
    assert (await client.ask("HEAD", "latest"))[0] == 200
    await client.clock.advance(1)
    assert (await client.ask("HEAD", "latest"))[0] == 401
    assert 'error="invalid_token"' in client.last["WWW-Authenticate"]


async def test_revoked_tokens(client: Client) -> None:
    """Can all tokens be made worthless at once?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.tokens.revoke_all()
    assert (await client.ask("HEAD", "latest"))[0] == 401


async def test_a_private_repository(client: Client) -> None:
    """Does an anonymous token open nothing private, though it is granted, and a user's does?"""
    rules = client.registry.rules
    rules.users["node-team"], rules.field_name = "secret", "access_token"
    rules.private.add(REPOSITORY)
    client.registry.push(REPOSITORY, "latest", BUILD)
    assert (await client.log_in())[0] == 200
    assert (await client.ask("HEAD", "latest"))[0] == 401
    assert (await client.log_in(("node-team", "secret")))[0] == 200
    assert (await client.ask("HEAD", "latest"))[0] == 200


async def test_bad_passwords(client: Client) -> None:
    """Is a bad password a 401, and one too many of them a 429?"""
    answers = [(await client.log_in(("node-team", "wrong")))[0] for _ in range(5)]
    assert answers == [401, 401, 401, 401, 429]


async def test_blobs_come_from_elsewhere_without_credentials(client: Client) -> None:
    """Does a blob lead to another origin, which refuses a request with credentials?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    _, config = BUILD.manifest(Platform(), Shape.INDEX)
    url = f"{client.registry.url}/v2/{REPOSITORY}/blobs/{config.digest}"
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.get(url, headers=headers, allow_redirects=False) as reply:
        assert reply.status == 307
        there = reply.headers["Location"]
    assert there.startswith(client.registry.cdn_url)
    async with client.session.get(there, headers=headers) as reply:
        assert reply.status == 400
    async with client.session.get(URL(there, encoded=True)) as reply:
        assert await reply.read() == config.raw
    async with client.session.get(URL(there)) as reply:  # written anew, with another signature
        assert reply.status == 403


async def test_wrong_digest(client: Client) -> None:
    """Can the body be made to belie its digest, once?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(WrongDigest(), method="GET", path="/manifests/")
    _, body = await client.ask("GET", "latest")
    assert "sha256:" + hashlib.sha256(body).hexdigest() != digest
    _, body = await client.ask("GET", "latest")
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest


async def test_without_digest_header(client: Client) -> None:
    """Can the digest header be left out?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(WithoutDigest(), path="/manifests/")
    assert (await client.ask("HEAD", "latest"))[0] == 200
    assert "Docker-Content-Digest" not in client.last


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_no_head(client: Client, status: int) -> None:
    """Can a HEAD be answered with what says nothing, and the GET as always?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(NoHead(status), path="/manifests/", count=None)
    assert (await client.ask("HEAD", "latest"))[0] == status
    assert (await client.ask("GET", "latest"))[0] == 200
    assert client.last["Docker-Content-Digest"] == digest


async def test_packed_body(client: Client) -> None:
    """Can a body be packed, with the digest of what it was before?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(Packed(), path="/manifests/")
    _, body = await client.ask("GET", "latest")  # unpacked by the session
    assert client.last["Content-Encoding"] == "gzip"
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest


async def test_schema_1(client: Client) -> None:
    """Can a manifest be of schema 1, with a digest that is not of its bytes?"""
    digest = client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(SignedSchema1(), path="/manifests/")
    _, body = await client.ask("GET", "latest")
    assert json.loads(body)["schemaVersion"] == 1
    assert client.last["Content-Type"].endswith("manifest.v1+prettyjws")
    assert "sha256:" + hashlib.sha256(body).hexdigest() != digest


async def test_long_headers(client: Client) -> None:
    """Can a header be longer than most clients read?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(LongHeaders(9000), path="/manifests/")
    with pytest.raises(aiohttp.ClientResponseError):
        await client.ask("HEAD", "latest")


async def test_other_statuses_of_refusals(client: Client) -> None:
    """Can strangers, stale tokens and wrong passwords be answered with other statuses, without a
    challenge but at `/v2/`?
    """
    client.registry.push(REPOSITORY, "latest", BUILD)
    rules = client.registry.rules
    rules.stranger_gets, rules.stale_gets, rules.bad_login_gets = 404, 400, 403
    client.registry.tokens.revoke_all()
    assert (await client.ask("HEAD", "latest"))[0] == 400
    assert "WWW-Authenticate" not in client.last
    client.token = ""
    assert (await client.ask("HEAD", "latest"))[0] == 404
    assert (await client.log_in(("node-team", "wrong")))[0] == 403
    async with client.session.get(f"{client.registry.url}/v2/") as reply:
        assert reply.headers["WWW-Authenticate"].startswith("Bearer realm=")


async def test_huge_body(client: Client) -> None:
    """Is a body of the wanted size sent, and does the server survive a client that leaves?"""
    client.registry.push(REPOSITORY, "latest", BUILD)
    client.registry.faults.add(HugeBody(1 << 20), method="GET", path="/manifests/")
    assert len((await client.ask("GET", "latest"))[1]) == 1 << 20
    client.registry.faults.add(HugeBody(), method="GET", path="/manifests/")
    url = f"{client.registry.url}/v2/{REPOSITORY}/manifests/latest"
    headers = {"Accept": ALL, "Authorization": f"Bearer {client.token}"}
    async with client.session.get(url, headers=headers) as reply:
        await reply.content.readexactly(100)
        reply.close()
    assert (await client.ask("HEAD", "latest"))[0] == 200


async def test_html_instead_of_json(client: Client) -> None:
    """Can a proxy's page be answered in the registry's place?"""
    client.registry.faults.add(Answer(200, b"<html>", {"Content-Type": "text/html"}))
    assert await client.ask("GET", "latest") == (200, b"<html>")


def test_digests_follow_from_the_build() -> None:
    """Are equal builds equal content, and does the commit alone name the binary?"""
    assert SimulatedBuild().digest() == SimulatedBuild().digest()
    newer = SimulatedBuild(version="1.14.1")
    assert newer.digest() != BUILD.digest()
    assert newer.binary == BUILD.binary
    assert SimulatedBuild(commit="deadbeef" * 5).binary != BUILD.binary
