"""Records that somebody wrote on a Deployment of theirs: nobody else's run ends by them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.belief import sibling_record
from controller.domain.record.record import OpenRun, Outcome, Record, encode_record
from controller.domain.run import Phase
from controller.engine.claims.refill import refill
from store.api import SCHEMA, Claim, Meta
from tests.fakes import FakeClock
from tests.kube_samples.objects import written_by
from tests.machine_engine import at_once, still_store
from tests.machine_objects import RULES, build, deployment, pinned, with_images
from tests.machine_world import World

TARGET = "fuji-c-chain-state-sync"
EARLY = "20200101t000000z-aaaaaaaa"


def opened(run: str = EARLY, *, uid: str = "uid-2") -> Record:
    """A record that says that the Deployment `forged` tests build a."""
    return Record(
        schema=1,
        namespace="bootstrap",
        name="forged",
        uid=uid,
        seq=9,
        last_run=run,
        phase=Phase.BOOTSTRAPPING,
        run=OpenRun(
            id=run,
            build=build("a"),
            image=pinned("a"),
            target=TARGET,
            network="fuji",
            mode="c-chain-state-sync",
            config="x",
            phase=Phase.BOOTSTRAPPING,
            reason="NodeStarted",
            decided=1,
            since=1,
        ),
    )


def over() -> Record:
    """One that says that it has tested it."""
    outcome = Outcome(
        run=EARLY,
        build=build("a"),
        target=TARGET,
        phase=Phase.PASSED,
        reason="Soaked",
        at=2,
        began=1,
    )
    tested = {TARGET: (build("a"),)}
    return with_fields(opened(), run=None, phase=Phase.IDLE, outcomes=(outcome,), tested=tested)


def forged(record: Record, **template: str) -> Deployment:
    """The Deployment with it, which runs nothing. template: what its pod template carries."""
    text = encode_record(record, RULES)
    return deployment("forged", uid="uid-2", replicas=0, record=text, **template)  # type: ignore[arg-type]


@pytest.mark.parametrize("reached", [True, False], ids=["store", "store away"])
@pytest.mark.parametrize("record", [opened(), over()], ids=["open", "over"])
def test_no_forged_record_ends_a_run(record: Record, reached: bool) -> None:
    """Does a run go on and pass, whatever a Deployment says that never ran its build?"""
    world = World()
    key = world.add(deployment())
    run = world.bootstrap(key)
    world.add(forged(record))
    world.memory_known = reached
    world.finish(key)
    outcome = world.record(key).outcomes[-1]
    assert (outcome.run, outcome.phase) == (run, Phase.PASSED)


@pytest.mark.parametrize("record", [opened(), over()], ids=["open", "over"])
def test_no_forged_record_makes_a_build_count_as_tested(record: Record) -> None:
    """Is a build tested that only a forged record knows?"""
    world = World()
    key = world.add(deployment())
    world.add(forged(record))
    assert world.pass_run(key)


def test_the_claim_decides_between_two_that_look_alike() -> None:
    """Does a run go on that has the claim, though another's template bears its record out?"""
    world = World()
    key = world.add(deployment())
    run = world.bootstrap(key)
    other = world.add(forged(opened(), run_id=EARLY, image=pinned("a")))
    world.settle(key)
    found = world.record(key).run
    assert found is not None
    assert found.id == run
    world.settle(other)
    outcome = world.record(other).outcomes[-1]
    assert (outcome.phase, outcome.reason) == (Phase.ABORTED, "Duplicate")


def _managed(found: Deployment, manager: str) -> Deployment:
    return written_by(found, manager, {"f:metadata": {"f:annotations": {f"f:{names.RECORD}": {}}}})


@pytest.mark.parametrize(
    ("made", "believed"),
    [
        (lambda: forged(opened(), run_id=EARLY, image=pinned("a")), True),
        (lambda: forged(opened(), run_id=EARLY), True),  # its pin was taken back
        (lambda: forged(opened(), run_id=EARLY, image=pinned("b")), False),
        (lambda: forged(opened(), image=pinned("a")), False),
        (lambda: forged(opened(), run_id="20200101t000000z-bbbbbbbb"), False),
        (lambda: forged(opened(uid="another"), run_id=EARLY, image=pinned("a")), False),
        (lambda: _managed(forged(opened()), names.FIELD_MANAGER), True),  # run id and pin are gone
        (lambda: _managed(forged(opened()), "kubectl-edit"), False),
        (lambda: forged(over(), run_id=EARLY), True),
        (lambda: with_images(forged(over(), run_id=EARLY), "a:b"), True),  # what runs next is free
        (lambda: forged(over()), False),
    ],
)
def test_a_record_is_believed_that_its_deployment_bears_out(
    made: Callable[[], Deployment], believed: bool
) -> None:
    """Is a record believed of others where the template carries its run, and only there?"""
    record = sibling_record(made())
    assert record is not None
    assert record.knows(TARGET, build("a")) is believed
    assert bool(record.outcomes or record.run) is believed


def test_a_lost_store_gives_a_build_to_whom_it_belongs() -> None:
    """Is the claim of an open run refilled before what another's record says of the build?"""
    own = with_fields(opened("20260101t000000z-aaaaaaaa"), name="real")
    store = still_store()
    at_once(refill(store, Meta(SCHEMA, "epoch", 0, "cluster"), [over(), own], FakeClock()))
    claim = at_once(store.claimed(TARGET, build("a")))
    assert claim == Claim(TARGET, build("a"), "20260101t000000z-aaaaaaaa", "bootstrap/real")
