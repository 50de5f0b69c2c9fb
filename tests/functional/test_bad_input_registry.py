"""A registry that answers nonsense: told to those who follow it, and to nobody else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.simulator.faults import Answer, Refuse
from controller.simulator.registry import HugeBody, SignedSchema1, WrongDigest
from tests.controlled_world import BUILD, SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

OTHER = "example/avalanchego"
HTML = Answer(200, b"<!doctype html><p>Sign in</p>", {"Content-Type": "text/html"})
POLICY = Answer(
    412,
    b'{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with 4 vulnerabilities'
    b' cannot be pulled"}]}',
    {"Content-Type": "application/json"},
)


@dataclass(frozen=True)
class Answers:
    """What the registry answers about the other repository, and the sentence for it."""

    action: object
    sentence: str
    method: str | None = None


FAULTS = {
    "HTML": Answers(HTML, "): its answer is not a manifest"),
    "a wrong digest": Answers(WrongDigest(), "the manifest's bytes do not have the digest", "GET"),
    "50 MB": Answers(HugeBody(), "answers with more than", "GET"),
    "an empty manifest": Answers(Answer(200), "the registry answers with an empty manifest", "GET"),
    "nothing": Answers(Refuse(), "docker.io/example/avalanchego: 127.0.0.1:"),
    "an error": Answers(Answer(500, b"oops"), "the registry answers 500"),
    "a policy": Answers(
        POLICY,
        "the registry answers 412; it says 'PROJECTPOLICYVIOLATION: current image with 4"
        " vulnerabilities cannot be pulled'",
    ),
    "schema 1": Answers(SignedSchema1(), "its manifest has the obsolete schema 1"),
    "no such tag": Answers(Answer(404), "no tag latest in repository docker.io/example"),
    "no access": Answers(Answer(403), "docker.io/example/avalanchego"),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    """With a good Deployment, which follows another repository of the same registry."""
    async with controlled_world(tmp_path) as world:
        world.world.push(OTHER, "latest", BUILD)
        world.deploy("good", network="network-1337")
        yield world


@pytest.mark.parametrize("answers", FAULTS.values(), ids=FAULTS.keys())
async def test_a_registry_that_answers_nonsense(world: ControlledWorld, answers: Answers) -> None:
    """Is the sentence on the Deployment that follows it and in a Kubernetes Event, does the other
    one pass, and is the build tested, with an Event, when the registry answers again?
    """
    faults = world.world.registry.faults
    rule = faults.add(answers.action, method=answers.method, path=f"/{OTHER}/", count=None)
    world.deploy("bad", image=f"{OTHER}:latest")
    world.start(**SELDOM)
    await world.until(lambda: answers.sentence in world.message("bad"))
    assert world.message("bad").startswith("'latest' is unknown: ")
    await world.until(lambda: "RegistryTrouble" in [told for told, _ in world.events("bad")])
    assert answers.sentence in world.notes("bad")
    await world.passes("good")
    assert world.phase("bad") == "Idle"
    faults.remove(rule)
    await world.passes("bad")
    assert "RegistryTroubleEnded" in [told for told, _ in world.events("bad")]
    assert len([told for told, _ in world.events("bad") if told == "RegistryTrouble"]) == 1


async def test_an_open_run_goes_on_without_its_registry(world: ControlledWorld) -> None:
    """Does a run that is open pass though its registry answers nothing any more?"""
    world.deploy("bad", image=f"{OTHER}:latest", annotations={})
    world.start(**SELDOM)
    await world.until(lambda: world.record("bad") and world.record("bad").run)  # type: ignore[union-attr]
    world.world.registry.faults.add(Refuse(), path=f"/{OTHER}/", count=None)
    await world.passes("bad")
