"""What the simulated registry tells of an image: its configuration, and Docker Hub's list of tags.

Included: real HTTP. Excluded: who may pull, which tests/functional/test_simulator_registry.py has.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from controller.domain.build import Platform
from controller.simulator.faults import Answer
from controller.simulator.registry import Shape, SimulatedBuild, SimulatedRegistry, TokenRules
from tests.fakes import EPOCH, FakeClock

REPOSITORY = "avaplatform/avalanchego"
TAGS = "/v2/namespaces/avaplatform/repositories/avalanchego/tags"
LABELS = {"org.opencontainers.image.version": "9.9.9", "org.opencontainers.image.revision": "f00d"}
ACCEPT = {
    "Accept": "application/vnd.oci.image.manifest.v1+json,"
    " application/vnd.docker.distribution.manifest.v2+json"
}
OLD, NEW = SimulatedBuild("1.14.0", "a1" * 20), SimulatedBuild("1.14.1", "b2" * 20)


@dataclass
class Client:
    """Asks a registry that wants no tokens."""

    registry: SimulatedRegistry
    session: aiohttp.ClientSession
    clock: FakeClock

    async def get(self, path: str) -> tuple[int, bytes]:
        async with self.session.get(self.registry.url + path, headers=ACCEPT) as reply:
            return reply.status, await reply.read()

    async def config(self, build: SimulatedBuild, shape: Shape, platform: Platform) -> Any:
        """As a puller comes to it: by the platform manifest's own word."""
        build_digest = build.digest(platform, shape)
        _, raw = await self.get(f"/v2/{REPOSITORY}/manifests/{build_digest}")
        digest = json.loads(raw)["config"]["digest"]
        status, raw = await self.get(f"/v2/{REPOSITORY}/blobs/{digest}")
        assert status == 200
        assert digest == "sha256:" + hashlib.sha256(raw).hexdigest()
        return json.loads(raw)

    async def tags(self, query: str = "", path: str = TAGS) -> tuple[int, Any]:
        status, raw = await self.get(path + query)
        return status, json.loads(raw)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = FakeClock()
    rules = TokenRules(enabled=False)
    async with (
        SimulatedRegistry(clock, rules) as registry,
        aiohttp.ClientSession(requote_redirect_url=False) as session,
    ):
        yield Client(registry, session, clock)


@pytest.mark.parametrize("shape", list(Shape))
async def test_labels_come_with_the_configuration(client: Client, shape: Shape) -> None:
    """Does the platform manifest lead to a configuration with the image's labels, whatever the
    node says of itself?
    """
    build = SimulatedBuild(labels=LABELS, created="2026-11-20T10:00:00Z")
    client.registry.push(REPOSITORY, "latest", build, shape)
    config = await client.config(build, shape, Platform())
    assert config["config"]["Labels"] == LABELS
    assert config["created"] == "2026-11-20T10:00:00Z"
    assert build.version == "1.14.0"


async def test_images_have_no_labels_to_begin_with(client: Client) -> None:
    """Is a build of avalanchego's own without labels and date, and of its platform?"""
    client.registry.push(REPOSITORY, "latest", OLD)
    for platform in OLD.platforms:
        config = await client.config(OLD, Shape.INDEX, platform)
        assert "Labels" not in config["config"]
        assert "created" not in config
        assert (config["os"], config["architecture"]) == (platform.os, platform.arch)


@pytest.mark.parametrize("redirects", [True, False])
async def test_blobs_come_from_the_registry_too(client: Client, redirects: bool) -> None:
    """Can a registry be played that has no CDN?"""
    client.registry.redirects = redirects
    client.registry.push(REPOSITORY, "latest", OLD)
    _, config = OLD.manifest(Platform(), Shape.INDEX)
    url = f"{client.registry.url}/v2/{REPOSITORY}/blobs/{config.digest}"
    async with client.session.get(url, allow_redirects=False) as reply:
        assert reply.status == (307 if redirects else 200)
        assert redirects or await reply.read() == config.raw


def test_what_is_in_an_image_makes_its_digest() -> None:
    """Are builds that differ in labels, date or architecture different ones, and equal ones not?"""
    builds = [
        SimulatedBuild(),
        SimulatedBuild(labels=LABELS),
        SimulatedBuild(created="2026-11-20T10:00:00Z"),
        SimulatedBuild(wrong_architecture=True),
    ]
    assert len({build.digest() for build in builds}) == len(builds)
    turned = SimulatedBuild(labels=dict(reversed(LABELS.items())))
    assert turned == builds[1]
    assert (turned.digest(), hash(turned)) == (builds[1].digest(), hash(builds[1]))


async def test_tags_are_listed_newest_push_first(client: Client) -> None:
    """Are all tags of the repository listed, each with its moment and digest, the last push first,
    also where an older tag was moved again?
    """
    registry = client.registry
    registry.push(REPOSITORY, "latest", OLD)
    registry.push(REPOSITORY, "v1.14.0", OLD)
    await client.clock.advance(3600)
    moved = registry.push(REPOSITORY, "latest", NEW)
    registry.push("avaplatform/other", "latest", OLD)
    status, document = await client.tags("?page_size=100")
    results = document["results"]
    assert (status, document["count"]) == (200, 2)
    assert [result["name"] for result in results] == ["latest", "v1.14.0"]
    assert results[0]["digest"] == moved
    for result, age in zip(results, (3600, 0), strict=True):
        assert result["last_updated"] == result["tag_last_pushed"]
        at = datetime.fromisoformat(result["last_updated"])
        assert at == EPOCH + timedelta(seconds=age)


@pytest.mark.parametrize("shape", list(Shape))
async def test_a_tag_names_its_images(client: Client, shape: Shape) -> None:
    """Does each shape's entry name the platform manifests that it stands for?"""
    digest = client.registry.push(REPOSITORY, "latest", OLD, shape)
    _, document = await client.tags()
    [result] = document["results"]
    images = {
        (image["os"], image["architecture"]): image["digest"]
        for image in result["images"]
        if image["os"] != "unknown"
    }
    expected = OLD.platforms[:1] if shape is Shape.SINGLE else OLD.platforms
    assert result["digest"] == digest
    assert images == {(p.os, p.arch): OLD.digest(p, shape) for p in expected}
    unknown = sum(image["architecture"] == "unknown" for image in result["images"])
    assert unknown == (2 if shape is Shape.INDEX else 0)


async def test_pages(client: Client) -> None:
    """Are ten tags a page unless said otherwise, with links that lead through all of them?"""
    for number in range(12):
        client.registry.push(REPOSITORY, f"t{number}", OLD)
    _, first = await client.tags()
    assert [result["name"] for result in first["results"]] == [f"t{n}" for n in range(11, 1, -1)]
    assert first["previous"] is None
    _, raw = await client.get(first["next"].removeprefix(client.registry.url))
    second = json.loads(raw)
    assert [result["name"] for result in second["results"]] == ["t1", "t0"]
    assert (second["next"], "page=1" in second["previous"]) == (None, True)
    assert client.registry.counts.listings == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [("?page_size=1000", 200), ("?page=9", 404), ("?page_size=0", 400), ("?page=one", 400)],
)
async def test_odd_pages(client: Client, query: str, status: int) -> None:
    """Is too much cut, nothing not found, and nonsense refused?"""
    client.registry.push(REPOSITORY, "latest", OLD)
    assert (await client.tags(query))[0] == status


async def test_what_is_not_listed(client: Client) -> None:
    """Are repositories not found that are private or not there, and a tag that was taken away?"""
    registry = client.registry
    registry.push(REPOSITORY, "latest", OLD)
    registry.push(REPOSITORY, "gone", OLD)
    registry.untag(REPOSITORY, "gone")
    _, document = await client.tags()
    assert [result["name"] for result in document["results"]] == ["latest"]
    assert (await client.tags(path=TAGS.replace("avalanchego", "nothing")))[0] == 404
    registry.rules.private.add(REPOSITORY)
    assert (await client.tags())[0] == 404


async def test_a_listing_meets_limits_and_faults(client: Client) -> None:
    """Is a listing no pull, though abuse and planned faults meet it?"""
    registry = client.registry
    registry.push(REPOSITORY, "latest", OLD)
    registry.quota.remaining = 0
    assert (await client.tags())[0] == 200
    registry.quota.abused = True
    assert await client.get(TAGS) == (429, b"Too Many Requests\n")
    registry.quota.abused = False
    headers = {"X-Retry-After": "1795413600"}
    registry.faults.add(Answer(429, b"{}", headers), path="/v2/namespaces/")
    assert (await client.tags())[0] == 429
    assert (await client.tags())[0] == 200
