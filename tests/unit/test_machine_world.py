"""The world around the machine is a checked fake: a write in it does what its patch does."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.write import ImageChange, Write
from controller.kube.patches import patch_of
from controller.simulator.apiserver.jsonpatch import apply_json_patch
from controller.simulator.apiserver.statuses import StatusError
from tests.kube_samples.objects import as_deployment
from tests.machine_objects import apply_write, bare, deployment, pinned, with_images
from tests.machine_world import World, prepare_data


def _document(found: Deployment) -> Any:
    """But for managedFields, which stay as they came and are nobody's to write."""
    document: Any = _without_nulls(msgspec.to_builtins(found))
    document["metadata"].pop("managedFields", None)
    return document


def patched(found: Deployment, write: Write) -> Deployment | None:
    """What the patch makes of it, by the rules of the recordings."""
    document = _document(found)
    try:
        after = apply_json_patch(document, patch_of(write))
    except StatusError:
        return None
    found = as_deployment(after)
    generation = found.metadata.generation + 1
    return with_fields(found, metadata=with_fields(found.metadata, generation=generation))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(v) for v in value]
    return value


BARE = deployment()
NAKED = with_fields(BARE, metadata=with_fields(BARE.metadata, labels=None))
PINNED = deployment(image=pinned("a"), run_id="run-1", record="{}", labels={names.PHASE: "Idle"})
WRITE = Write(
    key="bootstrap/fuji",
    uid="uid-1",
    record_before=None,
    record="{1}",
    phase_before=None,
    phase="Starting",
    message_before=None,
    message="why",
    has_annotations=False,
    has_template_annotations=False,
    run_id="run-1",
    images=(
        ImageChange(False, 0, "node", bare(), pinned("a")),
        ImageChange(True, 0, "prepare-data", bare(), pinned("a")),
    ),
)
SECOND = Write(
    key="bootstrap/fuji",
    uid="uid-1",
    record_before="{}",
    record="{2}",
    phase_before="Idle",
    phase="Idle",
    message_before=None,
    message="more",
    run_id_before="run-1",
    run_id="run-1",
)


def changed(write: Write, **fields: Any) -> Write:
    return Write(**{**vars(write), **fields})


@pytest.mark.parametrize("found", [BARE, NAKED, PINNED, with_images(BARE, bare("x"))])
@pytest.mark.parametrize(
    "write",
    [
        WRITE,
        SECOND,
        changed(WRITE, uid="uid-2"),
        changed(WRITE, record_before="{}", has_annotations=True),
        changed(WRITE, has_labels=False),
        changed(WRITE, has_annotations=True),
        changed(WRITE, has_template_annotations=True),
        changed(WRITE, images=(ImageChange(False, 1, "node", bare(), pinned("a")),)),
        changed(WRITE, images=(ImageChange(False, 0, "other", bare(), pinned("a")),)),
        changed(WRITE, images=()),
        changed(SECOND, phase_before="Held"),
        changed(SECOND, phase_before="Held", phase="Held"),
        changed(SECOND, run_id="run-2"),
        changed(SECOND, run_id="run-2", run_id_before="run-0"),
        changed(SECOND, record="{}"),
    ],
)
def test_a_write_does_what_its_patch_does(found: Deployment, write: Write) -> None:
    """Are both refused or both applied, with the same object after it?"""
    ours, theirs = apply_write(found, write), patched(found, write)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert _document(ours) == _document(theirs)


def test_data_is_kept_clean() -> None:
    """Does the init container of the world keep the pod's contract (I6)?"""
    volume, word = prepare_data({}, None, "a")
    assert (volume, word) == ({}, None)
    volume, word = prepare_data({}, "1", "a")
    assert word is not None
    assert '"fresh"' in word
    again, word = prepare_data(volume, "1", "a")
    assert word is not None
    assert '"resumed"' in word
    refused, word = prepare_data(again, "1", "b")
    assert word is not None
    assert '"foreign"' in word
    assert refused == again
    later, _ = prepare_data(again, "2", "b")
    assert list(later) == ["2"]
    waiting, word = prepare_data(later, "1", "a")
    assert (waiting, word) == (later, None)


def test_a_run_passes_in_the_world() -> None:
    """Does the world hang together: from tag to verdict?"""
    world = World()
    key = world.add(deployment())
    assert world.pass_run(key)
