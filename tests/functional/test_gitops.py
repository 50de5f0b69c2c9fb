"""A pin that somebody takes back in mid-run, with what the real init script does to the data: by
what is put back, how often, and whose pod was quicker.

Excluded: the tools that do it (test_gitops_apply.py), and each rule by itself (tests/unit).
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from controller.domain import names
from controller.domain.record.record import OpenRun
from controller.simulator.apiserver.resources import Object
from controller.simulator.world import NAMESPACE
from tests.kustomize import ready
from tests.target_world import (
    BARE,
    ENDLESS,
    FIRST,
    REPOSITORY,
    SECOND,
    SOAK,
    TAG,
    TargetWorld,
    images,
    pinned,
    set_images,
    target_world,
)

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
NAME = f"bootstrap-{TARGET}"
ARGO = "argocd-controller"  # the field manager of Argo CD's application controller


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[TargetWorld]:
    async with target_world(tmp_path) as found:
        found.create(ready(TARGET), soak=SOAK)
        yield found


async def second_run(stage: TargetWorld) -> tuple[str, OpenRun]:
    """The first run's id, which has passed, and the second, whose node bootstraps until told."""
    stage.world.push(REPOSITORY, TAG, FIRST)
    await stage.until(lambda: stage.outcomes(NAME))
    (first,) = stage.outcomes(NAME)
    assert first.phase == "Passed"
    stage.world.push(REPOSITORY, TAG, ENDLESS)
    return first.run, await stage.bootstrapping(NAME)


def put(stage: TargetWorld, image: str | None, run: str | None) -> None:
    """As Argo CD writes: image and run id, None for leaving it; an empty run id takes it off."""

    def change(obj: Object) -> None:
        if image is not None:
            set_images(obj, image)
        annotations = obj["spec"]["template"]["metadata"]["annotations"]
        if run:
            annotations[names.RUN_ID] = run
        elif run == "":
            del annotations[names.RUN_ID]

    stage.world.change(NAME, change, manager=ARGO)


def stands(stage: TargetWorld, run: OpenRun) -> bool:
    """Whether the run's pin is in the manifest."""
    found = images(stage.deployment(NAME)), stage.run_id(NAME)
    return found == ({run.image}, run.id)


def reverts(stage: TargetWorld) -> int:
    run = stage.run(NAME)
    assert run is not None, stage.outcomes(NAME)
    return run.reverts


def data(stage: TargetWorld, run: str) -> str:
    """What the node of a run has left."""
    return stage.tree(NAME).get(f"runs/{run}/db/000001.ldb", "")


def events(stage: TargetWorld, reason: str) -> list[str]:
    found = stage.world.api.storage.objects("events", NAMESPACE)
    return [event["message"] for event in found if event["reason"] == reason]


WAYS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    # As Argo CD and plain apply do it: they know nothing of the run id.
    "the image": lambda first, second: {"image": BARE, "run": None},
    # As `kubectl replace` does it.
    "image and run id": lambda first, second: {"image": BARE, "run": ""},
    # As `rollout undo` and a manifest that was saved do it.
    "an older pin": lambda first, second: {"image": pinned(FIRST), "run": first},
    "an older image": lambda first, second: {"image": pinned(FIRST), "run": None},
    "no run id": lambda first, second: {"image": None, "run": ""},
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_pin_is_put_back_and_the_run_goes_on(stage: TargetWorld, way: str) -> None:
    """Whatever was put in the place of the pin, is it put back once, is whoever did it named, and
    does the run pass on its own data?
    """
    async with stage.controller():
        first, run = await second_run(stage)
        put(stage, **WAYS[way](first, run.id))
        await stage.until(lambda: reverts(stage) and stands(stage, run))
        outcome = await stage.finish(NAME)
        assert (outcome.run, outcome.phase) == (run.id, "Passed")
        assert data(stage, run.id) == f"written in {run.id}"
        # Who wrote the image is known; who takes off a run id alone leaves no trace there.
        who = "somebody" if way == "no run id" else f"'{ARGO}'"
        (told,) = await stage.until(lambda: events(stage, "PinReverted"))
        assert told.endswith(f": {who} took the pin of run {run.id} back; it is put back")
    (begun,) = stage.executions(run=run.id, data="fresh")
    assert begun.binary == ENDLESS.binary
    # One that was told to stop at its end may have written its marker, and said nothing.
    assert outcome.resumes >= len(stage.executions(run=run.id, data="resumed"))


async def test_a_pod_of_another_build_refuses_the_data(stage: TargetWorld) -> None:
    """Does a pod of another image that starts before the pin is back touch nothing, so that the run
    goes on?
    """
    async with stage.controller():
        _, run = await second_run(stage)
    # Nobody puts the pin back now: the pod of the older image has all the time that it wants.
    before = stage.tree(NAME)
    put(stage, pinned(FIRST), None)
    await stage.until(lambda: stage.executions(data="foreign", code=3))
    assert stage.tree(NAME) == before
    async with stage.controller():
        await stage.until(lambda: reverts(stage) and stands(stage, run))
        outcome = await stage.finish(NAME)
    assert (outcome.run, outcome.phase) == (run.id, "Passed")
    assert data(stage, run.id) == f"written in {run.id}"
    assert {e.binary for e in stage.executions(data="foreign")} == {FIRST.binary}


async def test_a_pod_of_an_older_pin_waits(stage: TargetWorld) -> None:
    """Does a pod with the older run's id and image wait for the newer pin, and touch nothing?"""
    async with stage.controller():
        first, run = await second_run(stage)
    before = stage.tree(NAME)
    put(stage, pinned(FIRST), first)
    await stage.until(
        lambda: any(e.waits(f"the newer run {run.id}") for e in stage.executions(run=first))
    )
    assert stage.tree(NAME) == before
    async with stage.controller():
        outcome = await stage.finish(NAME)
    assert (outcome.run, outcome.phase) == (run.id, "Passed")
    assert data(stage, run.id) == f"written in {run.id}"


async def test_the_third_time_ends_the_run(stage: TargetWorld) -> None:
    """Is a run whose pin is taken back for the third time aborted, saying who and what to do, with
    its data kept, and does the next build get its run?
    """
    async with stage.controller():
        _, run = await second_run(stage)
        put(stage, BARE, None)
        await stage.until(lambda: reverts(stage) == 1 and stands(stage, run))
        put(stage, BARE, None)
        await stage.until(lambda: reverts(stage) == 2 and stands(stage, run))
        put(stage, BARE, None)
        await stage.until(lambda: len(stage.outcomes(NAME)) == 2)
        outcome = stage.outcomes(NAME)[1]
        assert (outcome.run, outcome.phase, outcome.reason) == (run.id, "Aborted", "PinReverted")
        assert outcome.message == (
            f"'{ARGO}' took the pin back 3 times: let it ignore the image and the run id (Argo CD:"
            " ignoreDifferences with RespectIgnoreDifferences=true)"
        )
        assert data(stage, run.id) == f"written in {run.id}"
        assert stage.run(NAME) is None

        stage.world.push(REPOSITORY, TAG, SECOND)
        await stage.until(lambda: len(stage.outcomes(NAME)) == 3)
        following = stage.outcomes(NAME)[2]
        assert (following.build, following.phase) == (SECOND.digest(), "Passed")
    assert not any(path.startswith(f"runs/{run.id}/") for path in stage.tree(NAME))


@pytest.mark.parametrize("way", ["its node runs", "it is gone again"])
async def test_data_of_another_image_makes_the_run_void(stage: TargetWorld, way: str) -> None:
    """Where the pod of another image was the first to begin the run's data, is the run aborted as
    void, and the build tested by a new attempt on data of its own?
    """
    world = stage.world
    world.push(REPOSITORY, TAG, ENDLESS)
    world.images.broken = lambda image: "the registry is slow" if "@" in image else None
    async with stage.controller():
        run = await stage.until(lambda: stage.run(NAME))
        await stage.until(lambda: stands(stage, run))
    put(stage, BARE, None)
    world.push(REPOSITORY, TAG, SECOND)  # what the bare tag means now
    await stage.until(lambda: stage.executions(run=run.id, data="fresh", binary=SECOND.binary))
    await stage.until(lambda: world.node_of(NAME))
    world.push(REPOSITORY, TAG, ENDLESS)
    world.images.broken = lambda _: None
    if way == "it is gone again":
        put(stage, run.image, None)
        await stage.until(lambda: stage.executions(run=run.id, data="foreign", code=3))
    async with stage.controller():
        await stage.until(lambda: stage.outcomes(NAME))
        void = stage.outcomes(NAME)[0]
        assert (void.run, void.phase, void.reason) == (run.id, "Aborted", "ForeignData")
        attempt = await stage.bootstrapping(NAME)
        assert attempt.id > run.id
        assert attempt.build == run.build
        assert data(stage, attempt.id) == f"written in {attempt.id}"
        outcome = await stage.finish(NAME)
    assert (outcome.run, outcome.phase) == (attempt.id, "Passed")
    assert {path.split("/")[1] for path in stage.tree(NAME)} == {attempt.id}
