"""What is known of a run beside its record: when it is asked for, and what is kept."""

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.build import Resolution
from controller.domain.decide.observation import Choice
from controller.domain.evidence import Place
from controller.domain.objects import Pod
from controller.domain.record.parts import Facts
from controller.domain.record.record import OpenRun
from controller.engine.probing.run_facts import RETRY, TRIES, RunFactsReader
from controller.engine.telling.seen_builds import SeenBuilds
from store.memory import MemoryStore
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.fakes import FakeClock
from tests.machine_objects import build, deployment, pod
from tests.machine_world import World, observation

KNOWN = Place("machine-1", "m6i.2xlarge", "us-east-1b", "gp3")
UNREAD = Place("machine-1", unread=("nodes: 500",))


class Witness(BlindWitness):
    """Tells one place after the other, and the last one for ever."""

    def __init__(self, *places: Place) -> None:
        self.places = list(places)
        self.asked = 0

    async def place(self, pod: Pod) -> Place:
        self.asked += 1
        return self.places.pop(0) if len(self.places) > 1 else self.places[0]


class Desk:
    """One run whose reader is read, look after look."""

    def __init__(self, *places: Place) -> None:
        world = World()
        key = world.add(deployment())
        world.start_run(key)
        run = world.record(key).run
        assert run is not None
        self.run: OpenRun = run
        self.clock = FakeClock()
        self.witness = Witness(*places)
        self.reader = RunFactsReader(FakeRegistry(self.clock), self.witness, self.clock)

    async def read(self, facts: Facts, uid: str = "pod-1") -> Facts:
        made = pod(self.run.id, self.run.image, uid=uid)
        made = with_fields(made, spec=with_fields(made.spec, node_name="machine-1"))
        return await self.reader.read(facts, self.run, made, "node", None)


async def test_a_machine_is_asked_for_once_a_pod() -> None:
    """Is what is known not asked for at each look, and anew for another pod?"""
    desk = Desk(KNOWN)
    facts = await desk.read(Facts())
    facts = await desk.read(facts)
    assert (facts.type, desk.witness.asked) == ("m6i.2xlarge", 1)
    await desk.read(facts, uid="pod-2")
    assert desk.witness.asked == 2


async def test_a_machine_that_cannot_be_read_once_is_not_forgotten() -> None:
    """Do type and zone of the same machine outlast a reading that failed?"""
    desk = Desk(KNOWN, UNREAD)
    facts = await desk.read(Facts())
    facts = await desk.read(facts, uid="pod-2")
    assert (facts.type, facts.zone) == ("m6i.2xlarge", "us-east-1b")


async def test_what_could_not_be_read_is_asked_for_again_and_not_for_ever() -> None:
    """Is a right that is granted meanwhile found, and a missing one asked for a few times only?"""
    desk = Desk(UNREAD)
    for _ in range(TRIES + 3):
        await desk.read(Facts())
        await desk.clock.advance(RETRY)
    assert desk.witness.asked == TRIES


@pytest.mark.parametrize("source", ["tag", "test-build", "image"])
async def test_coverage_counts_what_the_tag_pointed_to(source: str) -> None:
    """Is a build that somebody asked for by itself none of those that the tag passed by?"""
    store = MemoryStore()
    choice = Choice("x", source, Resolution(build("e"), build("f")))
    o = observation(deployment(), choices=(choice,))
    await SeenBuilds(store).note(o)
    seen = await store.seen_builds("fuji-c-chain-state-sync")
    assert [each.build for each in seen] == ([build("f")] if source == "tag" else [])
