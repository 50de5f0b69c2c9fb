"""The patch of a write, and what an object says about it (I5)."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain import names
from controller.domain.record.write import ImageChange, Write
from controller.kube.patches import patch_of, stands, undone
from tests.kube_samples.objects import as_deployment, recording

RECORD = "/metadata/annotations/bootstrap.avax.network~1record"
MESSAGE = "/metadata/annotations/bootstrap.avax.network~1message"
PHASE = "/metadata/labels/bootstrap.avax.network~1phase"
REPOSITORY = "avaplatform/avalanchego:latest"
DIGEST = "@sha256:" + "1" * 63

PIN = Write(
    key="bootstrap/fuji-state-sync",
    uid="59d4c9ed-58f1-4b5f-b803-47b5f2ad6a71",
    record_before=None,
    record='{"schema": 1, "run": "20261123t060000z-11111111"}',
    phase_before=None,
    phase="Starting",
    message_before="same",
    message="same",
    has_template_annotations=False,
    run_id_before=None,
    run_id="20261123t060000z-11111111",
    images=(
        ImageChange(False, 0, "node", REPOSITORY + DIGEST + "3", REPOSITORY + DIGEST + "4"),
        ImageChange(True, 0, "prepare-data", REPOSITORY, REPOSITORY + DIGEST + "4"),
    ),
)


def test_a_pin_is_the_patch_that_a_real_server_took() -> None:
    """Operation for operation what was recorded, and one test more: that of the phase."""
    said: list[dict[str, Any]] = recording("28")["request"]["body"]
    ours = patch_of(PIN)

    assert sorted(map(str, ours)) == sorted(
        map(str, [*said, {"op": "test", "path": PHASE, "value": None}])
    )
    assert ours[0] == {"op": "test", "path": "/metadata/uid", "value": PIN.uid}


def test_all_tests_come_before_all_changes() -> None:
    """A test after a change would look at what we wrote ourselves."""
    kinds = [each["op"] for each in patch_of(PIN)]

    assert kinds == sorted(kinds, key=lambda op: op != "test")


def test_a_transition_touches_record_phase_and_message_alone() -> None:
    """No pod is started by it: nothing under the template."""
    write = replace(
        PIN, record_before="old", phase_before="Starting", phase="Failed", images=(),
        message_before=None, message="it crashed", run_id=None, has_template_annotations=True,
    )  # fmt: skip

    assert patch_of(write) == [
        {"op": "test", "path": "/metadata/uid", "value": PIN.uid},
        {"op": "test", "path": RECORD, "value": "old"},
        {"op": "test", "path": MESSAGE, "value": None},
        {"op": "test", "path": PHASE, "value": "Starting"},
        {"op": "add", "path": RECORD, "value": PIN.record},
        {"op": "add", "path": MESSAGE, "value": "it crashed"},
        {"op": "add", "path": PHASE, "value": "Failed"},
    ]


def test_missing_maps_are_tested_and_added_whole() -> None:
    """Nothing can be added under a map that is not there."""
    write = replace(
        PIN, has_labels=False, has_annotations=False, message_before=None, message="why",
        images=(), run_id=None,
    )  # fmt: skip

    assert patch_of(write)[1:] == [
        {"op": "test", "path": "/metadata/annotations", "value": None},
        {"op": "test", "path": "/metadata/labels", "value": None},
        {
            "op": "add",
            "path": "/metadata/annotations",
            "value": {names.RECORD: PIN.record, names.MESSAGE: "why"},
        },
        {"op": "add", "path": "/metadata/labels", "value": {names.PHASE: "Starting"}},
    ]


def test_an_untouched_record_is_still_tested() -> None:
    """An unreadable record is never written, and its change still fails the patch."""
    write = replace(PIN, record_before="{broken", record="{broken", images=(), run_id=None)

    operations = patch_of(write)

    assert {"op": "test", "path": RECORD, "value": "{broken"} in operations
    assert not [each for each in operations if each["path"] == RECORD and each["op"] != "test"]


def test_a_record_that_is_taken_away_is_removed() -> None:
    """None means absent, on both sides."""
    write = replace(PIN, record_before="old", record=None, images=(), run_id=None)

    assert {"op": "remove", "path": RECORD} in patch_of(write)


def test_a_write_that_contradicts_itself_is_not_sent() -> None:
    """A value cannot have been found in a map that was not there."""
    with pytest.raises(ValueError, match="missing"):
        patch_of(replace(PIN, has_annotations=False, record_before="old"))


def applied(found: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """RFC 6902 as the API server does it: None where a test fails; null passes on absence [46]."""
    found = copy.deepcopy(found)
    for each in operations:
        *way, last = (
            step.replace("~1", "/").replace("~0", "~") for step in each["path"].split("/")[1:]
        )
        at: Any = found
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        if each["op"] == "test":
            if at.get(last) != each["value"]:
                return None
        elif each["op"] == "remove":
            del at[last]
        elif each["op"] == "replace":
            assert last in at
            at[last] = each["value"]
        else:
            at[last] = each["value"]
    return found


values = st.sampled_from([None, "a", "b"])
texts = st.sampled_from(["a", "b"])


@st.composite
def writes(draw: st.DrawFn) -> tuple[dict[str, Any], Write]:
    """An object and a write that was decided on it."""
    run_before, message_before, record_before = draw(values), draw(values), draw(values)
    phase_before = draw(values)
    old = draw(texts)

    def kept(entries: dict[str, str | None]) -> dict[str, str]:
        return {key: value for key, value in entries.items() if value is not None}

    other = draw(st.sampled_from([{}, {"x/y~z": "1"}]))
    labels = kept({names.PHASE: phase_before})
    annotations = kept({names.RECORD: record_before, names.MESSAGE: message_before}) | other
    template = kept({names.RUN_ID: run_before})
    found: dict[str, Any] = {
        "metadata": {"uid": "u", "name": "n", "namespace": "s"}
        | ({"labels": labels} if labels else {})
        | ({"annotations": annotations} if annotations else {}),
        "spec": {
            "template": {
                "metadata": {"annotations": template} if template else {},
                "spec": {"containers": [{"name": "node", "image": old}]},
            }
        },
    }
    write = Write(
        key="s/n", uid="u",
        record_before=record_before, record=draw(values),
        phase_before=phase_before, phase=draw(texts),
        message_before=message_before, message=draw(texts),
        has_labels=bool(labels), has_annotations=bool(annotations),
        has_template_annotations=bool(template),
        run_id_before=run_before, run_id=draw(values),
        images=(ImageChange(False, 0, "node", old, draw(texts)),),
    )  # fmt: skip
    return found, write


@given(writes())
def test_every_patch_applies_to_what_it_was_decided_on(case: tuple[dict[str, Any], Write]) -> None:
    """And afterwards the object says that it stands, and has all the values."""
    found, write = case

    after = applied(found, patch_of(write))

    assert after is not None
    seen = as_deployment(after)
    assert stands(write, seen)
    assert undone(write, as_deployment(found))
    assert seen.metadata.annotation(names.RECORD) == write.record
    assert seen.metadata.annotation(names.MESSAGE) == write.message
    assert seen.metadata.label(names.PHASE) == write.phase
    assert seen.spec.template.metadata.annotation(names.RUN_ID) == write.run_id
    assert seen.spec.template.spec.containers is not None
    assert seen.spec.template.spec.containers[0].image == write.images[0].new


@given(writes(), st.sampled_from(["record", "uid", "image", "name", "phase", "message", "run"]))
def test_a_patch_fails_where_what_it_replaces_has_moved(
    case: tuple[dict[str, Any], Write], moved: str
) -> None:
    """Whatever a write changes, somebody else's change of it since is never overwritten."""
    found, write = case
    container = found["spec"]["template"]["spec"]["containers"][0]
    metadata, template = found["metadata"], found["spec"]["template"]["metadata"]
    changed = True
    match moved:
        case "record":
            metadata.setdefault("annotations", {})[names.RECORD] = "moved"
        case "uid":
            metadata["uid"] = "moved"
        case "image":
            container["image"] = "moved"
            changed = write.images[0].old != write.images[0].new
        case "name":
            container["name"] = "moved"
            changed = write.images[0].old != write.images[0].new
        case "phase":
            metadata.setdefault("labels", {})[names.PHASE] = "moved"
            changed = write.phase != write.phase_before
        case "message":
            metadata.setdefault("annotations", {})[names.MESSAGE] = "moved"
            changed = write.message != write.message_before
        case "run":
            template.setdefault("annotations", {})[names.RUN_ID] = "moved"
            changed = write.run_id != write.run_id_before

    if changed:
        assert applied(found, patch_of(write)) is None


def test_a_record_that_is_ours_means_that_the_write_stands() -> None:
    """The recorded object after the recorded patch; another uid or record says no."""
    found = as_deployment(recording("28")["response"]["body"])

    assert stands(PIN, found)
    assert not undone(PIN, found)
    assert not stands(replace(PIN, uid="other"), found)
    assert not stands(replace(PIN, record="other"), found)
