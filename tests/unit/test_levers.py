"""Levers as values: what a command writes, who is named, and what is told of it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace as with_fields

from controller.cli.levers import WHO_BYTES, person
from controller.domain import names
from controller.domain.manifest.field_owners import annotation_manager
from controller.domain.metadata import ManagedField
from controller.domain.objects import Deployment
from controller.domain.record.levers import VALUE_BYTES, asked, lever_value
from controller.domain.run import Phase
from controller.inspection import lever_annotations as wishes
from controller.inspection.deployments import InspectedDeployment
from controller.inspection.lever_annotations import Asker, Lever, Result, Wish
from controller.inspection.lever_writer import operations
from tests.fakes import EPOCH
from tests.kube_samples.objects import raw_of
from tests.machine_objects import RULES, build, deployment, with_annotations
from tests.machine_world import World

MOMENT = datetime(2026, 11, 23, 6, tzinfo=UTC)
OURS = "2026-11-23T06:00:00Z by jane@laptop"
ABORT = "abort_requested_at"


def entry(manager: str, *annotations: str, at: datetime | None = MOMENT) -> ManagedField:
    fields = {"f:metadata": {"f:annotations": {f"f:{name}": {} for name in annotations}}}
    return ManagedField(
        manager=manager, time=at, fields_v1=msgspec.Raw(msgspec.json.encode(fields))
    )


def managed(found: Deployment, *entries: ManagedField) -> Deployment:
    return with_fields(found, metadata=with_fields(found.metadata, managed=raw_of(*entries)))


def write(world: World, key: str, **annotations: str | None) -> None:
    world.change(key, with_annotations(world.deployments[key], **annotations))


def wish(world: World, key: str, lever: Lever) -> Wish:
    record = world.record(key) if world.deployments[key].metadata.annotation(names.RECORD) else None
    each = InspectedDeployment(world.deployments[key], record, "")
    return lever(each, Asker("jane@laptop", world.now, RULES))


def failed() -> tuple[World, str, str]:
    """A world in which a run has failed and its data is held; key and run."""
    world = World()
    key = world.add(deployment(annotations={names.TIMEOUT: "1m"}))
    run = world.start_run(key)
    world.kubelet(key)
    world.settle(key)
    while world.record(key).run is not None:
        world.probe(key, None)
        world.settle(key)
    assert world.settle(key).phase is Phase.HELD
    return world, key, run


def test_the_last_manager_of_an_annotation_is_named() -> None:
    """Is it the one that wrote last, of those that own that very annotation?"""
    found = managed(
        deployment(),
        entry("early", names.ABORT),
        entry("late", names.ABORT, at=MOMENT + timedelta(seconds=1)),
        entry("other", names.RETEST, at=MOMENT + timedelta(seconds=2)),
        ManagedField(manager="odd", fields_v1=msgspec.Raw(b'{"f:metadata": 3}')),
    )
    owner = annotation_manager(found, names.ABORT)
    assert owner is not None
    assert owner.manager == "late"
    assert annotation_manager(found, names.END_HOLD) is None
    assert annotation_manager(deployment(), names.ABORT) is None


@pytest.mark.parametrize(
    ("value", "who"),
    [
        (OURS, "jane@laptop asked for it at 2026-11-23T06:00:00Z"),
        ("now", "a person asked for it with 'kubectl' at 2026-11-23T06:00:00Z"),
        (OURS + "\x1b[31m", "jane@laptop [31m asked for it at 2026-11-23T06:00:00Z"),
        (
            "2026-11-23T06:00:00Z by ",
            "a person asked for it with 'kubectl' at 2026-11-23T06:00:00Z",
        ),
    ],
)
def test_who_asked_is_told(value: str, who: str) -> None:
    """Is it the value's own word where it is one of ours, and else the tool's?"""
    found = with_annotations(deployment(), **{ABORT: value})
    assert asked(managed(found, entry("kubectl", names.ABORT)), names.ABORT) == who


def test_without_managed_fields_a_person_is_meant() -> None:
    """Is there a sentence where nothing is known of who asked?"""
    found = with_annotations(deployment(), **{ABORT: "now"})
    assert asked(found, names.ABORT) == "a person asked for it"


def test_a_value_is_always_a_new_one() -> None:
    """Does a second wish in the same second still ask, and is no value longer than is kept?"""
    first = lever_value(MOMENT, "jane@laptop")
    second = lever_value(MOMENT, "jane@laptop", first, None)
    assert first == OURS
    assert second == "2026-11-23T06:00:01Z by jane@laptop"
    assert len(lever_value(MOMENT, "ü" * 99).encode()) <= VALUE_BYTES


def test_a_person_is_user_and_host() -> None:
    """Is whoever asks named shortly, on one line, also where the login says nothing?"""
    assert person({"USER": "jane"}, "laptop.example.com") == "jane@laptop"
    assert person({}, "laptop") == "somebody@laptop"
    long = person({"USER": "j\n" + "ü" * 99}, "laptop")
    assert len(long.encode()) <= WHO_BYTES
    assert "\n" not in long


def test_the_patch_is_guarded() -> None:
    """Are uid and the old value tested, a missing map added whole, and a value taken off?"""
    uid = {"op": "test", "path": "/metadata/uid", "value": "uid-1"}
    at = "/metadata/annotations/bootstrap.avax.network~1suspend"
    wanted = Wish(Result.WRITTEN, "", names.SUSPEND, "true")
    assert operations(deployment(), wanted) == [
        uid,
        {"op": "test", "path": "/metadata/annotations", "value": None},
        {"op": "add", "path": "/metadata/annotations", "value": {names.SUSPEND: "true"}},
    ]
    assert operations(deployment(annotations={names.TRACK: "x"}), wanted) == [
        uid,
        {"op": "test", "path": at, "value": None},
        {"op": "add", "path": at, "value": "true"},
    ]
    gone = Wish(Result.WRITTEN, "", names.SUSPEND, None)
    assert operations(deployment(annotations={names.SUSPEND: "true"}), gone) == [
        uid,
        {"op": "test", "path": at, "value": "true"},
        {"op": "remove", "path": at},
    ]


def test_an_abort_names_who_asked() -> None:
    """Does the outcome's message say it, and the command nothing twice?"""
    world = World()
    key = world.add(deployment())
    assert wish(world, key, wishes.abort).result is Result.NOTHING
    run = world.start_run(key)
    asked_for = wish(world, key, wishes.abort)
    assert f"run {run} ends as Aborted" in asked_for.said
    write(world, key, **{ABORT: asked_for.value})
    again = wish(world, key, wishes.abort)
    assert again.result is Result.UNCHANGED
    assert again.said.startswith("asked already (20")
    world.settle(key)
    when = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert world.record(key).outcomes[-1].message == f"jane@laptop asked for it at {when}"
    assert wish(world, key, wishes.abort).result is Result.NOTHING


def test_a_retest_names_who_asked_also_while_it_waits() -> None:
    """Do the record's message and the run's first one say it, and is a run waited for?"""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    write(world, key, retest_requested_at=wish(world, key, wishes.retest).value)
    world.look(key)
    assert world.record(key).message.startswith("another attempt is due: jane@laptop asked")
    run = world.start_run(key)
    assert "(another attempt: jane@laptop asked for it at" in world.record(key).message
    assert f"after run {run}, the followed tag is tested" in wish(world, key, wishes.retest).said


def test_the_end_of_a_hold_is_a_transition_that_names_who_asked() -> None:
    """Is it told, with who asked, and does the Deployment go from Held to Idle?"""
    world, key, run = failed()
    assert f"in the place of the kept data of {run}" in wish(world, key, wishes.retest).said
    write(world, key, end_hold_requested_at=wish(world, key, wishes.end_hold).value)
    assert wish(world, key, wishes.end_hold).result is Result.UNCHANGED
    world.look(key)
    step = world.record(key).steps[-1]
    assert (step.before, step.phase, step.reason) == ("Held", "Idle", "HeldEnded")
    assert step.message.startswith(f"the hold of {run} is over: jane@laptop asked for it at")
    assert wish(world, key, wishes.end_hold).result is Result.NOTHING


def test_a_hold_that_time_has_ended_is_none() -> None:
    """Is nothing asked for where the data is not kept any more?"""
    world, key, _ = failed()
    world.pass_time(RULES.keep_failed_data)
    assert wish(world, key, wishes.end_hold).result is Result.NOTHING
    assert (
        "next build that is due"
        in wishes.resume(
            InspectedDeployment(
                with_annotations(world.deployments[key], suspend="true"), world.record(key), ""
            ),
            Asker("", world.now, RULES),
        ).said
    )


def test_a_queued_build_says_what_it_waits_for() -> None:
    """Does a person hear, as they queue a build, that failed data is kept, that it was taken, or
    that it was tested and what to ask for then?
    """
    world, key, run = failed()
    said = wish(world, key, wishes.build_lever("v1")).said
    assert f"when the data of {run} is not kept any more: see `end-hold`" in said
    assert "the registry does not know" in said
    said = wish(world, key, wishes.build_lever(build("a"))).said
    assert "`retest` tests it once more" in said
    write(world, key, test_build=build("c"), retest_requested_at="1")
    world.settle(key)
    found = wish(world, key, wishes.build_lever(build("c")))
    assert found.result is Result.UNCHANGED
    assert "was taken already, and `retest` tests it once more" in found.said


def test_a_retest_beside_a_queued_build_says_that_both_come() -> None:
    """Does a person hear what another attempt is of, where a build is queued?"""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    write(world, key, test_build=build("c"))
    said = wish(world, key, wishes.retest).said
    assert "is tested, and then, unless that was another attempt of it, the followed tag" in said
    world.pass_run(key)
    assert "is tested once more" in wish(world, key, wishes.retest).said


def test_what_waits_says_what_for() -> None:
    """Does each command say what its wish waits for: an open run, a suspension, a fault?"""
    world = World()
    key = world.add(deployment())
    run = world.start_run(key)
    assert f"run {run} goes on to its end" in wish(world, key, wishes.suspend).said
    queued = wish(world, key, wishes.build_lever("v1.15.0-rc.1"))
    assert f"after run {run}, it is tested next" in queued.said
    assert "tested here already" in wish(world, key, wishes.build_lever(build("a"))).said
    write(world, key, suspend="true")
    assert "see `resume`" in wish(world, key, wishes.retest).said
    write(world, key, suspend="yes", test_build="v1")
    assert wish(world, key, wishes.resume).value == "false"
    assert f"run {run} goes on, and then the followed tag" in (
        wish(world, key, wishes.build_lever("")).said
    )
