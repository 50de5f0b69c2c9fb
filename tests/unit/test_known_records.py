"""What stands on all Deployments, beside reading every one of them anew."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.belief import sibling_record
from controller.domain.record.record import Record
from controller.engine.reconcile.known_records import KnownRecords
from controller.engine.reconcile.record_memory import RecordMemory
from tests.machine_engine import StillCluster, still_store
from tests.machine_objects import RULES, deployment, with_annotations
from tests.machine_world import World

NAMES = ("one", "two", "three")


def _versions() -> dict[str, list[Deployment]]:
    """Of each Deployment as the machine brings it on: without a record, and through a run."""
    found = {}
    for name in NAMES:
        world = World()
        key = world.add(deployment(name, uid=f"uid-{name}"))
        seen = [world.deployments[key]]
        for _ in range(6):
            world.look(key)
            seen.append(world.deployments[key])
        seen.append(with_annotations(seen[-1], record=None))
        seen.append(with_annotations(seen[-2], record=seen[-2].metadata.annotation(names.RECORD)))
        found[key] = [
            replace(d, metadata=replace(d.metadata, resource_version=str(n)))
            for n, d in enumerate(seen)
        ]
    return found


VERSIONS = _versions()
KEYS = tuple(VERSIONS)
steps = st.lists(
    st.tuples(
        st.sampled_from(("watch", "watch", "gone", "written", "read", "forget", "ask")),
        st.sampled_from(KEYS),
        st.integers(0, len(VERSIONS[KEYS[0]]) - 1),
    ),
    max_size=30,
)


class Desk:
    """A cluster's cache, our own memory of it, and what is known of both."""

    def __init__(self) -> None:
        self.cluster = StillCluster({})
        self.memory = RecordMemory(still_store())
        self.known = KnownRecords(self.cluster, self.memory, RULES)

    def step(self, what: str, key: str, found: Deployment) -> None:
        match what:
            case "watch":
                self.cluster.deployments[key] = found
                self.known.changed(key)
            case "gone":
                self.cluster.deployments.pop(key, None)
                self.known.changed(key)
            case "written":
                self.memory.written(found, None)
            case "read":
                self.memory.read_anew(found, self.cluster.deployment(key))
            case "forget":
                self.memory.forget(key)
            case _:
                self.known.index()

    def walk(self) -> list[Record]:
        found = []
        for key in self.cluster.keys():  # noqa: SIM118 a method of a port
            standing = self.memory.freshest(key, self.cluster.deployment(key))
            record = sibling_record(standing) if standing is not None else None
            if record is not None:
                found.append(record)
        return found


@given(steps)
def test_it_is_never_behind_what_stands(history: list[tuple[str, str, int]]) -> None:
    """The watch tells of changes, we write, read past the cache and forget, in any order: does each
    answer agree with reading everything at that moment?
    """
    desk = Desk()
    for what, key, number in history:
        desk.step(what, key, VERSIONS[key][number])
        found = sorted(desk.known.index().records(), key=lambda record: record.key)
        assert found == desk.walk()
        assert not desk.known.went_unheard()


def test_what_went_unheard_is_found_before_a_claim() -> None:
    """A record changes and nobody says so: does the comparison find it, and the next answer show
    it?
    """
    desk, key = Desk(), KEYS[0]
    desk.step("watch", key, VERSIONS[key][0])
    assert list(desk.known.index().records()) == []
    desk.cluster.deployments[key] = VERSIONS[key][4]
    assert desk.known.went_unheard()
    assert [record.key for record in desk.known.index().records()] == [key]
    assert not desk.known.went_unheard()


def test_a_version_is_read_once() -> None:
    """The same object is asked about twice, and then another version of it: is the first reading
    used for the second question alone?
    """
    desk, (first, second, *_) = Desk(), VERSIONS[KEYS[0]]
    reading = desk.known.reading(first)
    assert desk.known.reading(first) is reading
    assert desk.known.reading(second).deployment is second


def test_nothing_is_kept_of_a_deployment_that_is_gone() -> None:
    """A Deployment is deleted: is its reading let go?"""
    desk, key = Desk(), KEYS[0]
    desk.step("watch", key, VERSIONS[key][4])
    reading = desk.known.reading(VERSIONS[key][4])
    desk.known.index()
    desk.step("gone", key, VERSIONS[key][4])
    desk.known.index()
    assert desk.known.reading(VERSIONS[key][4]) is not reading
