"""How the pin of an open run stands: intact, taken back, or another wish."""

import pytest

from controller.domain.objects import Container, Deployment
from controller.domain.record.pin import PinState, pin_state, restoring_changes
from controller.domain.record.record import Record
from tests.machine_objects import (
    REPOSITORY,
    bare,
    build,
    deployment,
    init_container,
    node_container,
    pinned,
    variables,
    with_images,
)
from tests.machine_world import World


def running() -> tuple[Deployment, Record]:
    """A Deployment with an open run of build a, after one of build b that passed."""
    world = World(tags={"latest": "b"})
    key = world.add(deployment())
    world.pass_run(key)
    world.tags["latest"] = "a"
    world.start_run(key)
    return world.deployments[key], world.record(key)


def state(found: Deployment, record: Record) -> PinState:
    assert record.run is not None
    return pin_state(found, record.run, record)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (pinned("a"), PinState.INTACT),
        (bare(), PinState.REVERTED),  # what Argo CD puts back
        (pinned("b"), PinState.REVERTED),  # `rollout undo` to a build that was tested before
        (f"{REPOSITORY}@{build('a')}", PinState.INTACT),  # the build itself in another spelling
        (f"mirror.example/{pinned('a')}", PinState.INTACT),  # a webhook has it pulled elsewhere
        (f"mirror.example/cache/avalanchego@{build('a')}", PinState.INTACT),
        (f"mirror.example/{pinned('b')}", PinState.REVERTED),  # `rollout undo`, and the webhook
        (f"mirror.example/{pinned('c')}", PinState.CHANGED),
        (pinned("c"), PinState.CHANGED),  # a build that nobody ever pinned here
        (bare("v1.14.0"), PinState.CHANGED),  # another tag
        ("other/avalanchego:latest", PinState.CHANGED),  # another repository
        ("Not A Reference", PinState.CHANGED),  # somebody's wish too, and Blocked comes after it
    ],
)
def test_the_nodes_image_tells_a_pin_taken_back_from_another_wish(
    image: str, expected: PinState
) -> None:
    """Is what was there before put back, and everything else somebody's wish?"""
    found, record = running()
    assert state(with_images(found, image), record) is expected


def test_a_run_id_that_is_gone_is_a_pin_taken_back() -> None:
    """Does the pod template's run id belong to the pin?"""
    _, record = running()
    for other in (None, "20261122t060000z-bbbbbbbb"):
        changed = deployment(image=pinned("a"), run_id=other)
        assert state(changed, record) is PinState.REVERTED


def test_an_init_container_that_was_put_back_is_a_pin_taken_back() -> None:
    """Does the init container's image belong to the pin?"""
    _, record = running()
    assert record.run is not None
    found = deployment(image=pinned("a"), init_image=bare(), run_id=record.run.id)
    assert state(found, record) is PinState.REVERTED
    changes = restoring_changes(found, record.run)
    assert [(c.init, c.container, c.old, c.new) for c in changes] == [
        (True, "prepare-data", bare(), pinned("a"))
    ]


def test_a_pin_under_another_name_is_not_put_back() -> None:
    """Is an image with our digest left as a webhook wrote it, and only what lacks it changed?"""
    _, record = running()
    assert record.run is not None
    mirrored = f"mirror.example/{pinned('a')}"
    found = deployment(image=mirrored, init_image=f"mirror.example/{bare()}", run_id=record.run.id)
    assert state(found, record) is PinState.REVERTED
    changes = restoring_changes(found, record.run)
    assert [(c.init, c.container, c.new) for c in changes] == [(True, "prepare-data", pinned("a"))]
    whole = deployment(image=mirrored, run_id=record.run.id)
    assert state(whole, record) is PinState.INTACT
    assert restoring_changes(whole, record.run) == ()


def test_what_is_not_of_the_pin_is_left_alone() -> None:
    """Are sidecars and foreign init containers neither asked nor changed?"""
    _, record = running()
    assert record.run is not None
    found = deployment(
        run_id=record.run.id,
        containers=[
            Container(name="side", image=bare()),
            node_container(bare(), env=variables(AVAGO_NETWORK_ID="fuji")),
        ],
        init_containers=[
            Container(name="chown", image="busybox:1.36"),
            init_container(pinned("a")),
        ],
    )
    changes = restoring_changes(found, record.run)
    assert [(c.init, c.index, c.container) for c in changes] == [(False, 1, "node")]


def test_a_container_that_is_gone_is_the_manifests_fault() -> None:
    """Is a missing container no pin that was taken back?"""
    _, record = running()
    assert state(deployment(containers=[Container(name="x")]), record) is PinState.INTACT
