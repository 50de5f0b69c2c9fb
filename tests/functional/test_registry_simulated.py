"""What the registry client tells of a build, against the simulator: tokens, a CDN that takes no
credentials, a pull limit, and Docker Hub's list of tags.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random

import aiohttp
import pytest

from controller.domain.build import Platform
from controller.domain.evidence import BuildFacts
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.client import RegistryClient
from controller.simulator.registry import Shape, SimulatedBuild, SimulatedRegistry, WrongDigest
from tests.fakes import FakeClock

PATH = "avaplatform/avalanchego"
REPOSITORY = Repository("docker.io", PATH)
COMMIT = "a1" * 20
PLAIN = SimulatedBuild("1.14.0", COMMIT)  # no labels, as avalanchego's own images [83]
LABELLED = SimulatedBuild(
    "1.14.0",
    COMMIT,
    labels={
        "org.opencontainers.image.version": "1.14.0",
        "org.opencontainers.image.revision": COMMIT,
    },
    created="2026-11-20T10:00:00Z",
)


@dataclass
class Asked:
    """A client that asks the simulated registry for what is at Docker Hub."""

    registry: SimulatedRegistry
    session: aiohttp.ClientSession
    clock: FakeClock

    def client(self, *hosts: str) -> RegistryClient:
        """hosts: those that the simulator stands for."""
        mirrors = Mirrors.parse(f"{host}={self.registry.url}" for host in hosts)
        return RegistryClient(self.session, self.clock, Random(1), mirrors=mirrors)

    async def describe(self, tag: str, build: str) -> BuildFacts:
        return await self.client("docker.io", "hub.docker.com").describe(REPOSITORY, tag, build)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    clock = FakeClock()
    async with SimulatedRegistry(clock) as registry, aiohttp.ClientSession() as session:
        yield Asked(registry, session, clock)


@pytest.mark.parametrize("shape", list(Shape))
async def test_labelled_build(asked: Asked, shape: Shape) -> None:
    """Are labels told of each platform's build, however the tag is kept?"""
    asked.registry.push(PATH, "latest", LABELLED, shape)
    for platform in LABELLED.platforms[: 1 if shape is Shape.SINGLE else None]:
        build = LABELLED.digest(platform, shape)

        assert await asked.describe("latest", build) == BuildFacts("1.14.0", COMMIT)


@pytest.mark.parametrize(
    ("followed", "version", "commit"),
    [("master", "v1.14.0", "a1a1a1a1"), ("a1a1a1a1", "v1.14.0", "a1a1a1a1")],
)
async def test_build_that_has_only_names(
    asked: Asked, followed: str, version: str, commit: str
) -> None:
    """Do version and commit come from the names of its tags, where an image has no labels?"""
    names = ("a1a1a1a1", "v1.14.0", "latest", "master")
    for name in names:
        asked.registry.push(PATH, name, PLAIN)
    asked.registry.push(PATH, "b2b2b2b2", SimulatedBuild("1.14.1", "b2" * 20))
    facts = await asked.describe(followed, PLAIN.digest(Platform("linux", "arm64")))

    assert (facts.version, facts.commit, facts.unread) == (version, commit, ())
    assert set(facts.tags) == set(names) - {followed}


async def test_cost(asked: Asked) -> None:
    """Does a description cost one pull, and one request more than that for each of the others?"""
    asked.registry.push(PATH, "latest", LABELLED)
    await asked.describe("latest", LABELLED.digest())
    counts = asked.registry.counts

    assert (counts.heads, counts.blobs, counts.listings, counts.tokens) == (0, 1, 1, 1)
    assert counts.gets == 2  # the first gets the challenge
    assert asked.registry.quota.remaining == 99


async def test_mirror_of_docker_hub_alone(asked: Asked) -> None:
    """Is nobody asked for a list of tags behind the back of a mirror that has none?"""
    asked.registry.push(PATH, "latest", LABELLED)
    facts = await asked.client("docker.io").describe(REPOSITORY, "latest", LABELLED.digest())

    assert (facts.commit, facts.tags, facts.unread) == (COMMIT, (), ())
    assert asked.registry.counts.listings == 0


async def test_pulls_are_used_up(asked: Asked) -> None:
    """Is the build still described by the followed tag, where no pull is left?"""
    asked.registry.push(PATH, "a1a1a1a1", PLAIN)
    asked.registry.quota.remaining = 0
    facts = await asked.describe("a1a1a1a1", PLAIN.digest())

    assert facts.commit == "a1a1a1a1"
    assert "asks us to wait" in facts.unread[0]
    assert asked.registry.counts.listings == 0


async def test_private_repository(asked: Asked) -> None:
    """Is a repository that is not open to us told as such by each of the two?"""
    asked.registry.push(PATH, "latest", LABELLED)
    asked.registry.rules.private.add(PATH)
    facts = await asked.describe("latest", LABELLED.digest())

    assert facts.commit == ""
    assert "no access, or no such repository" in facts.unread[0]
    assert "no such repository that is open to all" in facts.unread[1]


async def test_lying_registry(asked: Asked) -> None:
    """Are labels not believed that come with a manifest of another digest?"""
    asked.registry.push(PATH, "latest", LABELLED)
    asked.registry.faults.add(WrongDigest(), path="/manifests/", count=None)
    facts = await asked.describe("latest", LABELLED.digest())

    assert facts.commit == ""
    assert "do not have the digest" in facts.unread[0]
