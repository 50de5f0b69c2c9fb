"""Records that cannot be used: told, left alone, and forgotten when they are mended."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.apiserver.resources import Object
from tests.controlled_world import SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

MEND = "put back what the controller wrote, or remove it: the store's copy takes its place, if any"
COPIED = {"schema": 1, "namespace": "bootstrap", "name": "other", "uid": "1234"}
FAULTS = {
    "does not parse": ("RecordUnreadable", "{half of a rec", f"does not parse (.*): {MEND}"),
    "is no record": ("RecordUnreadable", '{"schema":1,"namespace":[]}', "does not parse"),
    "is of a newer schema": (
        "RecordTooNew",
        json.dumps({**COPIED, "schema": 99, "runs": []}),
        "has schema 99 and this controller reads up to 1: run the controller that wrote it",
    ),
    "names another Deployment": (
        "RecordCopied",
        json.dumps(COPIED),
        "is of bootstrap/other: copied manifests must leave it out, so remove it",
    ),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    """With a good Deployment of another target beside whatever is bad."""
    async with controlled_world(tmp_path) as world:
        world.deploy("good", network="network-1337")
        yield world


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_record_that_cannot_be_used(
    world: ControlledWorld, fault: tuple[str, str, str]
) -> None:
    """Is the sentence on the Deployment and in one Kubernetes Event, the record left as it is, and
    the good Deployment beside it tested; and is it tested itself when the record is removed?
    """
    reason, record, sentence = fault
    sentence = sentence.partition("(.*)")[2] or sentence
    world.deploy("bad", annotations={names.RECORD: record})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("bad") == "Blocked")
    assert sentence in world.message("bad")
    assert names.RECORD in world.message("bad")
    await world.until(lambda: world.events("bad"))
    await world.passes("good")
    assert [told for told, _ in world.events("bad")] == [reason]
    assert sentence in world.notes("bad")
    assert world.annotation("bad", names.RECORD) == record
    world.world.annotate("bad", record=None)
    await world.passes("bad")
    assert f"{reason}Ended" in [told for told, _ in world.events("bad")]


async def test_a_record_that_is_spoilt_later_is_not_forgotten(world: ControlledWorld) -> None:
    """Is what was tested still known after a person has spoilt the record and then removed it?"""
    world.deploy("bad")
    world.start(**SELDOM)
    await world.passes("bad")
    world.world.change("bad", _with_record("{"))
    await world.until(lambda: world.phase("bad") == "Blocked")
    world.world.change("bad", _with_record(None))
    await world.until(lambda: world.phase("bad") == "Idle")
    await world.a_while()
    assert world.outcomes("bad") == ["Passed"]
    await world.until(lambda: "RecordUnreadableEnded" in [told for told, _ in world.events("bad")])


async def test_a_record_that_is_put_back_is_shown_again(world: ControlledWorld) -> None:
    """Do label and message tell the truth again when the controller's own record is put back?"""
    world.deploy("bad")
    world.start(**SELDOM)
    await world.passes("bad")
    await world.until(lambda: "tested already" in world.message("bad"))
    text, message = world.annotation("bad", names.RECORD), world.message("bad")
    world.world.change("bad", _with_record("[]"))
    await world.until(lambda: world.phase("bad") == "Blocked")
    world.world.change("bad", _with_record(text))
    await world.until(lambda: world.phase("bad") == "Idle")
    assert world.message("bad") == message
    assert world.outcomes("bad") == ["Passed"]


def _with_record(text: str | None) -> Callable[[Object], None]:
    def change(deployment: Object) -> None:
        annotations = deployment["metadata"]["annotations"]
        annotations.pop(names.RECORD, None)
        if text is not None:
            annotations[names.RECORD] = text

    return change
