"""The machine against others: Argo CD, siblings, a store, a Deployment made again, bad records."""

import json
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Choice, ClaimSeen, Leave, Nudge
from controller.domain.defaults import Rules
from controller.domain.run import Phase
from tests.machine_engine import at_once
from tests.machine_objects import (
    apply_write,
    bare,
    build,
    deployment,
    pinned,
    pod,
    with_annotations,
    with_images,
    word,
)
from tests.machine_world import World


def taken_back(world: World, key: str, *, seconds: float) -> None:
    """Argo CD puts the image back and leaves the run id; observed for so long."""
    world.manager = "argocd-controller"
    world.change(key, with_images(world.deployments[key], bare()))
    world.probe(key, None, seconds=0.001)
    world.probe(key, None, seconds=seconds)


def running(world: World | None = None) -> tuple[World, str, str]:
    world = world or World()
    key = world.add(deployment())
    return world, key, world.bootstrap(key)


def open_run(world: World, key: str) -> str | None:
    run = world.record(key).run
    return run.id if run else None


# A pin that somebody took back


def test_a_pin_taken_back_is_put_back_twice_and_then_no_more() -> None:
    """Is it put back at growing delays, with the name of who did it, and aborted at the third?"""
    world, key, run = running()
    for delay in world.rules.revert_delays:
        taken_back(world, key, seconds=delay - 1)
        decision = world.settle(key)
        assert world.image(key) == bare(), "not before its delay"
        assert decision.reason == "PinReverted"
        assert decision.again_in == pytest.approx(1.0, abs=0.1)
        world.probe(key, None, seconds=1.1)
        world.settle(key)
        assert world.image(key) == pinned("a")
        world.probe(key)
        step = next(s for s in reversed(world.record(key).steps) if s.reason == "PinReverted")
        assert "'argocd-controller'" in step.message
    assert open_run(world, key) == run
    world.change(key, with_images(world.deployments[key], bare()))
    world.settle(key)
    found = world.record(key).outcomes[-1]
    assert (found.run, found.phase, found.reason) == (run, Phase.ABORTED, "PinReverted")
    assert "'argocd-controller' took the pin back 3 times" in found.message
    assert "RespectIgnoreDifferences" in found.message


def test_a_run_whose_pin_is_gone_cannot_pass() -> None:
    """Does a soak that is complete not pass a run whose Deployment says another image?"""
    world = World(rules=Rules(revert_delays=(60.0, 60.0)))
    key = world.add(with_annotations(deployment(), soak="30s"))
    world.bootstrap(key)
    world.probe(key)
    world.probe(key)
    world.change(key, with_images(world.deployments[key], bare()))
    world.settle(key)
    assert open_run(world, key)


def test_somebody_without_a_name_is_somebody() -> None:
    """Does a cluster that keeps no managedFields still get a sentence?"""
    world, key, _ = running()
    taken_back(world, key, seconds=60)
    world.manager = ""
    world.settle(key)
    assert "somebody took the pin" in world.record(key).message


# Data that another image has touched


def touch(world: World, key: str) -> None:
    """Another image's pod was quicker at the run's data."""
    run = world.record(key).run
    assert run is not None
    world.pods[key] = (pod(run.id, run.image, said=word(run.id, "foreign"), started=None),)


def test_foreign_data_voids_a_run_twice_and_then_blocks() -> None:
    """Are there two new attempts with new ids, and no third?"""
    world, key, first = running()
    ids = [first]
    for _ in range(world.rules.foreign_limit):
        touch(world, key)
        ids.append(world.start_run(key))
        found = world.record(key).outcomes[-1]
        assert (found.run, found.phase, found.reason) == (ids[-2], Phase.ABORTED, "ForeignData")
        assert world.record(key).run is not None
    assert sorted(set(ids)) == ids
    touch(world, key)
    assert world.settle(key).phase is Phase.BLOCKED
    assert world.record(key).reason == "ForeignData"
    assert names.RETEST in world.record(key).message
    world.change(key, with_annotations(world.deployments[key], retest_requested_at="1"))
    assert world.start_run(key) > ids[-1]


def test_the_next_build_is_not_blocked_by_the_voids_of_another() -> None:
    """Does a tag that moves on end the blockade?"""
    world, key, _ = running()
    for _ in range(world.rules.foreign_limit):
        touch(world, key)
        world.start_run(key)
    touch(world, key)
    assert world.settle(key).phase is Phase.BLOCKED
    world.tags["latest"] = "b"
    world.pods.clear()
    assert world.start_run(key)
    assert world.record(key).voids == 0


def test_voids_of_an_earlier_build_do_not_count() -> None:
    """Does each build have its own attempts?"""
    world, key, _ = running()
    touch(world, key)
    world.start_run(key)
    world.kubelet(key)
    world.settle(key)
    world.probe(key)
    world.settle(key)
    world.finish(key)
    world.tags["latest"] = "b"
    world.start_run(key)
    touch(world, key)
    world.settle(key)
    assert world.record(key).voids == 1


# Siblings


def sibling(world: World, name: str = "second") -> str:
    return world.add(deployment(name, uid=f"uid-{name}"))


def test_a_build_that_a_sibling_tests_or_has_tested_waits() -> None:
    """Are builds shared out between two Deployments of a target, never doubled?"""
    world, key, _ = running()
    other = sibling(world)
    assert world.settle(other).reason == "Duplicate"
    assert key in world.record(other).message
    world.finish(key)
    assert world.settle(other).reason == "Duplicate"
    world.tags["latest"] = "b"
    assert world.start_run(other)
    assert world.settle(key).reason == "Duplicate"


@pytest.mark.parametrize("epoch", ["open", "over"])
def test_a_siblings_record_counts_whatever_the_store_says(epoch: str) -> None:
    """Is a claim not asked for if a sibling's record has the build and the store has forgotten?"""
    world, key, _ = running()
    if epoch == "over":
        world.finish(key)
    other = sibling(world)
    record = world.record(key)
    world.store = World().store
    decision = decide(world.observe(other))
    assert decision.reason == "Duplicate"
    assert not decision.effects
    assert record.key in decision.message


def test_a_claim_of_another_is_respected_and_its_owner_nudged() -> None:
    """Is a build claimed by one whose record does not know it left alone, and looked into?"""
    world = World()
    key = world.add(deployment())
    world.take_claim(key)
    other = sibling(world)
    decision = decide(world.observe(other))
    assert decision.reason == "Duplicate"
    assert decision.effects == (Nudge(key),)


def test_two_open_runs_of_one_build_leave_the_earlier() -> None:
    """Does the later run id yield, and only it?"""
    world, key, first = running()
    other = sibling(world)
    world.pass_time(60)
    copy = World(now=world.now)
    copy.add(deployment("second", uid="uid-second"))
    second = copy.bootstrap(other)
    world.deployments[other] = copy.deployments[other]
    assert second > first
    world.settle(other)
    found = world.record(other).outcomes[-1]
    assert (found.phase, found.reason) == (Phase.ABORTED, "Duplicate")
    assert first in found.message
    world.settle(key)
    assert open_run(world, key) == first
    assert world.settle(other).reason == "Duplicate"


def test_two_runs_of_one_id_leave_one() -> None:
    """Is a tie of the same second broken by name?"""
    world, key, first = running()
    other = sibling(world)
    copy = World(now=world.record(key).run and World().now)  # type: ignore[arg-type]
    copy.add(deployment("second", uid="uid-second"))
    assert copy.bootstrap(other) == first
    world.deployments[other] = copy.deployments[other]
    world.settle(key)
    world.settle(other)
    assert (open_run(world, key), open_run(world, other)) == (first, None)


def test_runs_of_other_targets_and_builds_are_no_twins() -> None:
    """May one build be tested on two targets at once?"""
    world, key, first = running()
    other = world.add(with_annotations(deployment("second", uid="uid-2"), series="pebble"))
    second = world.start_run(other)
    world.settle(key)
    assert (open_run(world, key), open_run(world, other)) == (first, second)


# Records


BROKEN = {"RecordUnreadable": "{", "RecordTooNew": '{"schema": 99}'}


@pytest.mark.parametrize("reason", BROKEN)
def test_an_unreadable_record_blocks_and_is_left_as_it_is(reason: str) -> None:
    """Is it Blocked once, in words, and neither overwritten nor acted on?"""
    world = World()
    key = world.add(with_annotations(deployment(), record=BROKEN[reason]))
    decision = world.settle(key)
    assert (decision.phase, decision.reason) == (Phase.BLOCKED, reason)
    meta = world.deployments[key].metadata
    assert meta.annotation(names.RECORD) == BROKEN[reason]
    assert meta.label(names.PHASE) == "Blocked"
    assert meta.generation == 3  # ours was one write, the first change another
    assert world.image(key) == bare()


def test_a_copied_record_blocks_until_it_is_removed() -> None:
    """Is YAML that was copied with its annotations found out, and harmless afterwards?"""
    world, key, _ = running()
    text = world.deployments[key].metadata.annotation(names.RECORD)
    other = world.add(with_annotations(deployment("second", uid="uid-2"), record=text))
    assert world.settle(other).reason == "RecordCopied"
    assert key in (world.deployments[other].metadata.annotation(names.MESSAGE) or "")
    world.change(other, with_annotations(world.deployments[other], record=None))
    assert world.settle(other).reason == "Duplicate"


def test_a_removed_record_comes_back_from_the_store() -> None:
    """Is what a person deletes taken from memory, its open run with it?"""
    world, key, run = running()
    world.change(key, with_annotations(world.deployments[key], record=None))
    world.settle(key)
    assert open_run(world, key) == run
    assert "TakenUp" in [s.reason for s in world.record(key).steps]


def test_an_older_record_that_was_put_back_is_not_believed() -> None:
    """Does a record restored from a backup not bring an ended run back?"""
    world, key, run = running()
    old = world.deployments[key].metadata.annotation(names.RECORD)
    world.finish(key)
    world.change(key, with_annotations(world.deployments[key], record=old))
    world.settle(key)
    assert open_run(world, key) is None
    assert [o.run for o in world.record(key).outcomes] == [run]


# Made again


def made_again(world: World, key: str, **more: str) -> None:
    world.deployments[key] = with_annotations(deployment(uid="uid-new"), **more)
    world.pods.pop(key, None)
    world.attention.clear()


def test_a_deployment_made_again_takes_its_open_run_up() -> None:
    """Does the run go on with its id, its pin and its data, and pass?"""
    world, key, run = running()
    made_again(world, key)
    world.settle(key)
    assert world.image(key) == pinned("a")
    record = world.record(key)
    assert (open_run(world, key), record.uid, record.run and record.run.reason) == (
        run,
        "uid-new",
        "TakenUp",
    )
    world.kubelet(key)
    pods = world.pods[key][0].status.init_container_statuses or []
    assert json.loads(pods[0].state.terminated.message if pods[0].state.terminated else "")[
        "data"
    ] == ("resumed")
    world.finish(key)
    assert world.record(key).outcomes[-1].phase is Phase.PASSED


def test_a_deployment_made_again_after_its_run_remembers_it() -> None:
    """Is a tested build not tested again because the Deployment is new?"""
    world, key, run = running()
    world.finish(key)
    made_again(world, key)
    assert world.settle(key).reason == "UpToDate"
    assert [o.run for o in world.record(key).outcomes] == [run]


def test_a_deployment_made_again_with_another_image_is_a_wish() -> None:
    """Is the old run ended without ever pinning the old image over the new one?"""
    world, key, run = running()
    world.tags["v2"] = "c"
    world.deployments[key] = deployment(uid="uid-new", image=bare("v2"))
    first = world.look(key)
    assert world.image(key) == bare("v2")
    assert first.write is not None
    assert not first.write.images
    world.settle(key)
    found = world.record(key).outcomes[-1]
    assert (found.run, found.reason) == (run, "ImageChanged")
    current = world.record(key).run
    assert current is not None
    assert current.build == build("c")


def test_without_memory_nothing_is_begun_that_would_hide_it() -> None:
    """Is it only said, once, while nobody can tell what was before: no record, no claim, no pin?"""
    world = World(memory_known=False)
    world.leave = Leave(False, "the store is away")
    key = world.add(deployment())
    decision = world.settle(key)
    assert (decision.phase, decision.reason) == (Phase.IDLE, "Waiting")
    assert "the store is away" in decision.message
    meta = world.deployments[key].metadata
    assert (meta.annotation(names.RECORD), meta.generation) == (None, 2)
    assert world.image(key) == bare()
    assert at_once(world.store.pending(key)) is None


# A settled state is quiet


def long_names() -> World:
    """A Deployment whose sentences are longer than what is kept of them."""
    world = World()
    world.rules = Rules(message_bytes=60)
    return world


def test_a_sentence_that_was_cut_is_said_once() -> None:
    """Does a message longer than what is kept not make the machine write for ever?"""
    world = long_names()
    key = world.add(with_annotations(deployment(), container="x" * 63))
    assert world.settle(key).phase is Phase.BLOCKED
    before = world.deployments[key]
    world.settle(key)
    assert world.deployments[key] is before


@pytest.mark.parametrize("state", ["first", "up to date", "held", "running", "blocked", "sibling"])
def test_a_settled_deployment_is_not_written(state: str) -> None:
    """Does looking again at what has not changed do nothing, however often?"""
    world = World()
    key = world.add(deployment())
    if state == "up to date":
        world.pass_run(key)
    elif state == "running":
        world.bootstrap(key)
    elif state == "held":
        run = world.start_run(key)
        world.pods[key] = (pod(run, world.image(key), said=word(run, "fresh"), restarts=6),)
    elif state == "blocked":
        world.change(key, deployment(strategy="RollingUpdate"))
    elif state == "sibling":
        world.bootstrap(key)
        key = sibling(world)
    world.settle(key)
    before = world.deployments[key]
    for _ in range(3):
        world.pass_time(30)
        decision = decide(world.observe(key))
        assert decision.write is None
        assert not decision.effects
    assert world.deployments[key] is before


def test_trouble_of_a_registry_is_said_once_it_lasts() -> None:
    """Does a blip say nothing, and lasting trouble the registry's sentence, and its end too?"""
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    o = world.observe(key)
    trouble = Choice("latest", "tag", trouble="timed out")
    assert decide(replace(o, choices=(trouble,))).write is None
    lasting = decide(replace(o, choices=(replace(trouble, lasting=True),)))
    assert lasting.reason == "RegistryTrouble"
    assert lasting.record is not None
    assert lasting.record.steps[-1].quiet
    world.carry_out(key, lasting)
    world.settle(key)
    assert world.record(key).reason == "UpToDate"
    assert world.record(key).steps[-1].reason == "RegistryTroubleEnded"


def test_a_blockade_that_ends_is_told() -> None:
    """Do people hear that a manifest was mended?"""
    world = World()
    key = world.add(deployment(strategy="RollingUpdate"))
    world.settle(key)
    world.tags["latest"] = None
    mended = with_fields(world.deployments[key].spec, strategy=deployment().spec.strategy)
    world.change(key, with_fields(world.deployments[key], spec=mended))
    world.settle(key)
    assert [s.reason for s in world.record(key).steps] == ["NotRecreate", "BlockedEnded"]


def test_a_claim_that_is_being_given_back_is_used_no_more() -> None:
    """Can no pin rely on a claim between the write that fences it and its release? Another
    controller, or this one after a crash, finds the build due again in that moment.
    """
    world = World()
    key = world.add(deployment())
    claim = world.take_claim(key)
    world.tags["latest"] = None
    decision = decide(world.observe(key))
    assert decision.write is not None
    after = apply_write(world.deployments[key], decision.write)
    assert after is not None
    world.deployments[key] = after  # the release is still to come
    world.tags["latest"] = "a"
    assert world.start_run(key) > claim.run
    at_once(world.store.release(claim))
    assert at_once(world.store.claimed(claim.target, claim.build)) is not None


def test_a_claim_beside_a_lost_record_is_never_given_back() -> None:
    """Is the run of a claim that may have come to be taken on, with its id and its data, however
    long that takes, after a controller died and its Deployment was made again?
    """
    world = World()
    key = world.add(deployment())
    claim = world.take_claim(key)
    world.look(key)  # the pin, and nothing published
    world.kubelet(key)
    made_again(world, key, suspend="true")
    world.settle(key)
    assert at_once(world.store.claimed(claim.target, claim.build)) == claim
    world.change(key, with_annotations(world.deployments[key], suspend=None))
    assert world.start_run(key) == claim.run


def test_a_claim_that_leads_nowhere_is_given_back_after_a_write() -> None:
    """Is a stray claim released only beside a write, which fences a pin that may be on its way?"""
    world = World()
    key = world.add(deployment())
    claim = world.take_claim(key)
    world.tags["latest"] = "b"
    decision = decide(world.observe(key))
    assert decision.write is not None
    stray = ClaimSeen(claim.target, claim.build, claim.run, claim.owner)
    assert [getattr(e, "claim", None) for e in decision.effects] == [stray]
    world.carry_out(key, decision)
    assert world.start_run(key)
    assert at_once(world.store.claimed(claim.target, build("a"))) is None
