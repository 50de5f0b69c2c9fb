"""What a person asks for: levers, hold, suspend, another configuration, another image."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Choice, Decision, Leave
from controller.domain.defaults import HOUR
from controller.domain.objects import EnvVar
from controller.domain.run import Phase
from tests.machine_objects import (
    BUSY,
    REPOSITORY,
    bare,
    build,
    deployment,
    pinned,
    pod,
    with_annotations,
    with_env,
    with_images,
    word,
)
from tests.machine_world import World

LEVERS = ("retest_requested_at", "abort_requested_at", "end_hold_requested_at")


def write(world: World, key: str, **entries: str | None) -> None:
    world.change(key, with_annotations(world.deployments[key], **entries))


def passed() -> tuple[World, str, str]:
    world = World()
    key = world.add(deployment())
    return world, key, world.pass_run(key)


def failed() -> tuple[World, str, str]:
    """A run that ended in a crash loop."""
    world = World()
    key = world.add(deployment())
    run = world.start_run(key)
    crashed(world, key, run)
    assert world.record(key).phase is Phase.HELD
    return world, key, run


def crashed(world: World, key: str, run: str, uid: str = "pod-1") -> Decision:
    """The node is seen to run, and then to have ended six times."""
    decision = world.settle(key)
    for restarts in (0, 0, 6):
        made = pod(run, world.image(key), said=word(run, "fresh"), restarts=restarts, uid=uid)
        world.pods[key] = (made,)
        world.probe(key, BUSY)
        decision = world.settle(key)
    return decision


def runs(world: World, key: str) -> list[str]:
    record = world.record(key)
    return [o.run for o in record.outcomes] + ([record.run.id] if record.run else [])


def test_a_tested_build_is_not_tested_again() -> None:
    """Is a Deployment up to date after its run, and does it say so?"""
    world, key, run = passed()
    assert world.settle(key).reason == "UpToDate"
    assert "tested already" in world.record(key).message
    assert runs(world, key) == [run]


def test_levers_found_at_the_first_meeting_are_only_noted() -> None:
    """Does YAML that was written long ago ask for nothing?"""
    world = World()
    key = world.add(with_annotations(deployment(), **dict.fromkeys(LEVERS, "2020")))
    run = world.pass_run(key)
    assert runs(world, key) == [run]
    assert world.settle(key).reason == "UpToDate"


def test_a_retest_is_done_once_for_each_new_value() -> None:
    """Does a new value ask once, and the same value never again?"""
    world, key, first = passed()
    write(world, key, retest_requested_at="1")
    second = world.pass_run(key)
    assert second > first
    assert world.record(key).outcomes[-1].build == build("a")
    assert world.settle(key).reason == "UpToDate"
    write(world, key, retest_requested_at="1")
    assert world.settle(key).reason == "UpToDate"
    write(world, key, retest_requested_at="2")
    assert world.pass_run(key) > second


def test_a_retest_says_why_it_runs() -> None:
    """Is an asked-for attempt told from a new build?"""
    world, key, _ = passed()
    write(world, key, retest_requested_at="1")
    world.start_run(key)
    run = world.record(key).run
    assert run is not None
    assert run.reason == "RetestRequested"


def test_a_retest_asked_for_in_mid_run_comes_after_it() -> None:
    """Is a wish from before the end not lost, and the run not interrupted?"""
    world = World()
    key = world.add(deployment())
    first = world.bootstrap(key)
    write(world, key, retest_requested_at="1")
    world.settle(key)
    run = world.record(key).run
    assert run is not None
    assert run.id == first
    world.finish(key)
    run = world.record(key).run
    assert run is not None
    assert run.reason == "RetestRequested"


def test_a_retest_ends_a_hold() -> None:
    """Is asking for another attempt reason enough not to keep the failed data?"""
    world, key, first = failed()
    write(world, key, retest_requested_at="1")
    assert world.start_run(key) > first


def test_a_retest_on_a_build_that_a_sibling_tested_takes_its_claim() -> None:
    """May a person have any build tested here, whoever has tested it?"""
    world, key, _ = passed()
    other = world.add(deployment("second", uid="uid-2"))
    assert world.settle(other).reason == "Duplicate"
    write(world, other, retest_requested_at="1")
    assert world.pass_run(other)
    world.settle(key)
    assert len(runs(world, key)) == 1


def test_a_retest_waits_for_a_sibling_that_is_testing_the_build() -> None:
    """Does no wish make two runs of one build at a time?"""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    other = world.add(deployment("second", uid="uid-2"))
    world.settle(other)
    write(world, other, retest_requested_at="1")
    world.settle(other)
    assert world.record(other).run is None
    world.finish(key)
    assert world.start_run(other)


def test_an_abort_ends_the_open_run_once() -> None:
    """Is a run aborted by request, its build counted as tested, and the next one untouched?"""
    world = World()
    key = world.add(deployment())
    run = world.bootstrap(key)
    write(world, key, abort_requested_at="1")
    world.settle(key)
    found = world.record(key).outcomes[-1]
    assert (found.run, found.phase, found.reason) == (run, Phase.ABORTED, "AbortRequested")
    assert world.record(key).reason == "UpToDate"
    world.tags["latest"] = "b"
    assert world.start_run(key)
    assert world.settle(key).phase is Phase.STARTING


def test_an_abort_without_a_run_aborts_nothing_later() -> None:
    """Is a wish that has nothing to act on spent?"""
    world, key, _ = passed()
    write(world, key, abort_requested_at="1")
    world.settle(key)
    world.tags["latest"] = "b"
    world.start_run(key)
    assert world.settle(key).phase is Phase.STARTING


def test_a_failure_holds_the_next_build_for_its_time() -> None:
    """Is the failed data kept for as long as the annotation says, and no longer?"""
    world, key, first = failed()
    write(world, key, keep_failed_data="2h")
    world.tags["latest"] = "b"
    decision = world.settle(key)
    assert decision.phase is Phase.HELD
    assert decision.again_in is not None
    assert 0 < decision.again_in <= 2 * HOUR
    world.pass_time(2 * HOUR - 1)
    assert world.settle(key).phase is Phase.HELD
    world.pass_time(1)
    assert world.start_run(key) > first


def test_a_hold_can_be_ended() -> None:
    """Does a new value end this hold, and no later one?"""
    world, key, _ = failed()
    world.tags["latest"] = "b"
    write(world, key, end_hold_requested_at="1")
    run = world.start_run(key)
    crashed(world, key, run, uid="second")
    world.tags["latest"] = "c"
    assert world.settle(key).phase is Phase.HELD


def test_a_wish_to_end_a_hold_from_before_the_failure_ends_nothing() -> None:
    """Does a lever pulled in mid-run not end a hold that nobody had seen?"""
    world = World()
    key = world.add(deployment())
    run = world.start_run(key)
    write(world, key, end_hold_requested_at="1")
    world.settle(key)
    assert crashed(world, key, run).phase is Phase.HELD
    world.tags["latest"] = "b"
    assert world.settle(key).phase is Phase.HELD


def test_suspend_starts_nothing_new_and_ends_nothing() -> None:
    """Is an open run judged, and the next build not started?"""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    write(world, key, suspend="true")
    world.finish(key)
    assert world.record(key).outcomes[-1].phase is Phase.PASSED
    world.tags["latest"] = "b"
    assert world.settle(key).phase is Phase.SUSPENDED
    write(world, key, suspend=None)
    assert world.start_run(key)


def test_a_retest_asked_for_while_suspended_waits() -> None:
    """Is a wish noted and not lost while nothing may start?"""
    world, key, first = passed()
    write(world, key, suspend="true", retest_requested_at="1")
    assert world.settle(key).phase is Phase.SUSPENDED
    write(world, key, suspend=None)
    assert world.start_run(key) > first


def test_a_claim_is_given_back_when_its_owner_is_suspended() -> None:
    """Can a sibling have the build that this one claimed and never began?"""
    world = World()
    key = world.add(deployment())
    world.take_claim(key)
    write(world, key, suspend="true")
    world.settle(key)
    other = world.add(deployment("second", uid="uid-2"))
    assert world.start_run(other)


def test_a_change_of_configuration_ends_the_run_and_begins_another() -> None:
    """Is a change of env in mid-run a person's wish for another attempt?"""
    world = World()
    key = world.add(deployment())
    first = world.bootstrap(key)
    level = EnvVar(name="AVAGO_LOG_LEVEL", value="debug")
    world.change(key, with_env(world.deployments[key], level))
    second = world.start_run(key)
    found = world.record(key).outcomes[-1]
    assert (found.run, found.phase, found.reason) == (first, Phase.ABORTED, "ConfigurationChanged")
    assert second > first
    run = world.record(key).run
    assert run is not None
    assert run.build == build("a")
    assert world.pass_run(key) == second
    assert world.settle(key).reason == "UpToDate"


def test_a_change_of_configuration_after_a_run_asks_for_another() -> None:
    """Is a tested build tested again in the new configuration, once?"""
    world, key, first = passed()
    world.change(key, with_env(world.deployments[key], EnvVar(name="AVAGO_LOG_LEVEL", value="x")))
    assert world.pass_run(key) > first
    assert world.settle(key).reason == "UpToDate"


def test_another_target_asks_for_its_own_builds_only() -> None:
    """Does a change that makes another target not repeat what was tested there already?"""
    world, key, first = passed()
    world.change(
        key, with_env(world.deployments[key], EnvVar(name="AVAGO_NETWORK_ID", value="mainnet"))
    )
    second = world.pass_run(key)
    assert second > first
    assert [o.target for o in world.record(key).outcomes] == [
        "fuji-c-chain-state-sync",
        "mainnet-c-chain-state-sync",
    ]
    world.change(
        key, with_env(world.deployments[key], EnvVar(name="AVAGO_NETWORK_ID", value="fuji"))
    )
    assert world.settle(key).reason == "UpToDate"


def test_another_series_in_mid_run_ends_the_run() -> None:
    """Does a run of a target that is no more the Deployment's end?"""
    world = World()
    key = world.add(deployment())
    first = world.bootstrap(key)
    write(world, key, series="pebble")
    assert world.start_run(key) > first
    assert world.record(key).outcomes[-1].reason == "ConfigurationChanged"


def test_a_claim_on_the_old_target_is_given_back() -> None:
    """Does a change of target between claim and pin not keep the old target's build for ever?"""
    world = World()
    key = world.add(deployment())
    world.take_claim(key)
    write(world, key, series="pebble")
    world.start_run(key)
    other = world.add(deployment("second", uid="uid-2"))
    assert world.start_run(other)


def test_a_run_id_written_by_hand_changes_nothing_of_the_configuration() -> None:
    """Do annotations of ours not count as a change of configuration?"""
    world = World()
    key = world.add(deployment())
    run = world.bootstrap(key)
    write(world, key, soak="1h", timeout="30d")
    world.settle(key)
    current = world.record(key).run
    assert current is not None
    assert current.id == run


def test_another_image_ends_the_run_and_is_tested() -> None:
    """Is an image that is not ours a wish: Aborted, ImageChanged, and that build next?"""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    world.manager = "kubectl-edit"
    world.change(key, with_images(world.deployments[key], f"{REPOSITORY}@{build('c')}"))
    write(world, key, track="latest")
    world.settle(key)
    found = world.record(key).outcomes[-1]
    assert (found.phase, found.reason) == (Phase.ABORTED, "ImageChanged")
    assert "'kubectl-edit'" in found.message
    assert "that is tested next" in found.message
    assert f"`test-build {build('a')}` and `retest`" in found.message
    run = world.record(key).run
    assert run is not None
    assert run.build == build("c")
    assert run.image == pinned("c")


def test_the_first_run_tests_what_the_manifest_names() -> None:
    """Is a digest in the image tested first, and the tag followed from then on?"""
    world = World(tags={"latest": "b"})
    key = world.add(deployment(image=pinned("a")))
    world.pass_run(key)
    assert world.record(key).outcomes[-1].build == build("a")
    world.pass_run(key)
    assert world.record(key).outcomes[-1].build == build("b")


@pytest.mark.parametrize("asked", ["v1.14.0", build("c")])
def test_a_build_can_be_asked_for_ahead_of_the_tag(asked: str) -> None:
    """Is `test-build` tested next, once, and the tag after it?"""
    world, key, _ = passed()
    world.tags["v1.14.0"] = "c"
    world.tags["latest"] = "b"
    write(world, key, test_build=asked)
    world.pass_run(key)
    world.pass_run(key)
    assert [o.build for o in world.record(key).outcomes] == [build(x) for x in "acb"]
    assert world.image(key) == pinned("b")


def letters(world: World, key: str) -> str:
    """The letters of the builds that were tested, in order, the open run's too."""
    record = world.record(key)
    found = [o.build for o in record.outcomes] + ([record.run.build] if record.run else [])
    return "".join(each[-1] for each in found)


def test_a_queued_tag_that_moves_is_not_tested_again() -> None:
    """Is what a person queued taken once, wherever its tag points to later?"""
    world, key, _ = passed()
    world.tags["v1"] = "c"
    write(world, key, test_build="v1")
    world.pass_run(key)
    world.tags["v1"] = "d"
    assert world.settle(key).reason == "UpToDate"
    assert letters(world, key) == "ac"
    write(world, key, test_build=None)
    world.settle(key)
    write(world, key, test_build="v1")
    world.pass_run(key)
    assert letters(world, key) == "acd"


@pytest.mark.parametrize("queued", ["v1", build("c")])
def test_a_queued_build_and_another_attempt_both_happen(queued: str) -> None:
    """Are both done that were asked for at once: the queued build, and the tag's once more?"""
    world, key, _ = passed()
    world.tags["v1"] = "c"
    write(world, key, test_build=queued, retest_requested_at="1")
    world.pass_run(key)
    run = world.record(key).run
    assert run is not None
    assert (run.build, run.reason) == (build("a"), "RetestRequested")
    world.pass_run(key)
    assert world.settle(key).reason == "UpToDate"
    assert letters(world, key) == "aca"


def test_another_attempt_of_a_queued_build_is_one_run() -> None:
    """Is a build that was tested already tested once more, and nothing else, where a person queues
    it and asks for another attempt?
    """
    world, key, _ = passed()
    world.tags["latest"] = "b"
    world.pass_run(key)
    write(world, key, test_build=build("a"), retest_requested_at="1")
    world.pass_run(key)
    assert world.settle(key).reason == "UpToDate"
    assert letters(world, key) == "aba"


def test_a_queued_build_whose_run_was_void_is_not_lost() -> None:
    """Is it tested after all, where its data was touched by others?"""
    world, key, _ = passed()
    write(world, key, test_build=build("c"))
    run = world.start_run(key)
    image = world.image(key)
    world.pods[key] = (pod(run, image, said=word(run, "foreign"), started=None),)
    world.settle(key)
    assert world.record(key).outcomes[-1].reason == "ForeignData"
    assert letters(world, key) == "acc"


def test_a_queued_build_survives_a_change_of_configuration() -> None:
    """Is the next attempt with other flags of the queued build, and not of the tag's?"""
    world, key, _ = passed()
    write(world, key, test_build=build("c"))
    world.start_run(key)
    other = with_env(world.deployments[key], EnvVar(name="AVAGO_LOG_LEVEL", value="debug"))
    world.change(key, other)
    world.settle(key)
    assert world.record(key).outcomes[-1].reason == "ConfigurationChanged"
    assert letters(world, key) == "acc"


def test_a_queued_build_that_was_tested_says_what_to_do() -> None:
    """Does a person who queues what was tested hear how to have it tested once more?"""
    world, key, _ = passed()
    world.tags["latest"] = "b"
    world.pass_run(key)
    write(world, key, test_build=build("a"))
    message = world.settle(key).message
    assert "`retest` tests it once more" in message
    assert "--clear" in message
    assert message == world.record(key).message


def test_a_queued_build_that_the_registry_does_not_know_says_what_to_do() -> None:
    """Does a person who queues a wrong name hear of it, though the tag is up to date?"""
    world, key, _ = passed()
    write(world, key, test_build="v9")
    o = world.observe(key)
    _, tag = o.choices
    unknown = Choice("v9", "test-build", trouble="it has no such tag", lasting=True)
    message = decide(replace(o, choices=(unknown, tag))).message
    assert "tested already" in message
    assert "'v9' is unknown: it has no such tag; write another by `test-build`" in message


def test_a_queued_build_in_a_hold_says_that_it_waits() -> None:
    """Does a person who queues a build while failed data is kept hear that it waits for that?"""
    world, key, _ = failed()
    write(world, key, test_build=build("c"))
    message = world.settle(key).message
    assert f"{build('c')} waits for that" in message.replace("…", "")
    assert "end-hold-requested-at" in message


def test_what_is_due_is_said_while_it_may_not_start() -> None:
    """Does an owner hear why nothing happens, if it will last?"""
    world = World()
    world.leave = Leave(False, "2 runs are open", lasting=True)
    key = world.add(deployment())
    assert "2 runs are open" in world.settle(key).message
    assert "2 runs are open" in (world.deployments[key].metadata.annotation(names.MESSAGE) or "")
    world.leave = Leave(True)
    assert world.start_run(key)


def test_a_bare_deployment_without_annotations_or_labels_can_be_written() -> None:
    """Are missing maps added whole?"""
    world = World()
    found = deployment()
    found = with_fields(found, metadata=with_fields(found.metadata, labels=None))
    key = world.add(found)
    assert world.start_run(key)
    assert world.image(key) == pinned("a")
    assert bare() != pinned("a")
