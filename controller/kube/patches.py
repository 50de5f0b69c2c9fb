"""A write as one JSON patch (I5): tests of all it replaces first, then the changes; pure.

A part that would change nothing is left out, tests and all. The record is tested always: it is the
fencing token.
"""

from typing import Any

from controller.domain import names
from controller.domain.objects import Deployment
from controller.domain.record.write import ImageChange, Write

Operations = list[dict[str, Any]]

_TEMPLATE = "/spec/template"


def patch_of(write: Write) -> Operations:
    """The operations, in the order in which the API server is to do them.

    Raises ValueError for a write that contradicts itself: a value found in a map that was not.
    """
    tests: Operations = [_test("/metadata/uid", write.uid)]
    changes: Operations = []
    for image in write.images:
        _image(image, tests, changes)
    _entries(
        f"{_TEMPLATE}/metadata/annotations",
        write.has_template_annotations,
        {names.RUN_ID: (write.run_id_before, write.run_id)},
        (tests, changes),
    )
    _entries(
        "/metadata/annotations",
        write.has_annotations,
        {
            names.RECORD: (write.record_before, write.record),
            names.MESSAGE: (write.message_before, write.message),
        },
        (tests, changes),
        always=names.RECORD,
    )
    _entries(
        "/metadata/labels",
        write.has_labels,
        {names.PHASE: (write.phase_before, write.phase)},
        (tests, changes),
    )
    return tests + changes


def stands(write: Write, found: Deployment) -> bool:
    """Whether the write is what the object shows: the record is ours, or, where the record was not
    to be touched, everything else that was to change.
    """
    if found.metadata.uid != write.uid or _record(found) != write.record:
        return False
    if write.record != write.record_before:
        return True
    return _rest(found) == (write.phase, write.message, write.run_id) and all(
        _image_at(found, image) == image.new for image in write.images
    )


def undone(write: Write, found: Deployment) -> bool:
    """Whether the object still shows what the write found."""
    if found.metadata.uid != write.uid or _record(found) != write.record_before:
        return False
    return _rest(found) == (write.phase_before, write.message_before, write.run_id_before) and all(
        _image_at(found, image) == image.old for image in write.images
    )


def in_place(write: Write, found: Deployment) -> bool:
    """Whether all that the patch tests is there, so that nobody else has kept it from standing."""
    meta, template = found.metadata, found.spec.template
    maps = (
        (meta.annotations, write.has_annotations, True),
        (meta.labels, write.has_labels, write.phase != write.phase_before),
        (
            template.metadata.annotations,
            write.has_template_annotations,
            write.run_id != write.run_id_before,
        ),
    )
    return (
        undone(write, found)
        and all((is_there is not None) == had for is_there, had, tested in maps if tested)
        and all(_stands_at(found, image) for image in write.images)
    )


def changed_words(write: Write, found: Deployment) -> str:
    """What of label and message the object shows otherwise than it was written; empty: nothing."""
    label, message, _ = _rest(found)
    changed = [
        f"{what} {'is gone' if is_there is None else 'is another'}"
        for what, is_there, wanted in (
            (f"label {names.PHASE}", label, write.phase),
            (f"annotation {names.MESSAGE}", message, write.message),
        )
        if is_there != wanted
    ]
    return " and ".join(changed)


def _image(image: ImageChange, tests: Operations, changes: Operations) -> None:
    if image.old == image.new:
        return
    where = "initContainers" if image.init else "containers"
    path = f"{_TEMPLATE}/spec/{where}/{image.index}"
    tests.append(_test(f"{path}/name", image.container))  # its place may have moved [45]
    tests.append(_test(f"{path}/image", image.old))
    changes.append({"op": "replace", "path": f"{path}/image", "value": image.new})


def _entries(
    path: str,
    exists: bool,
    entries: dict[str, tuple[str | None, str | None]],
    into: tuple[Operations, Operations],
    always: str = "",
) -> None:
    """Entries of one map, each with its value before and after."""
    tests, changes = into
    relevant = {k: v for k, v in entries.items() if v[0] != v[1] or k == always}
    if not relevant:
        return
    if not exists:
        # A missing map is tested and added whole: nothing can be added under it [46].
        if any(before is not None for before, _ in relevant.values()):
            raise ValueError(f"the write found a value in {path}, which it says is missing")
        tests.append(_test(path, None))
        whole = {key: after for key, (_, after) in relevant.items() if after is not None}
        if whole:
            changes.append({"op": "add", "path": path, "value": whole})
        return
    for key, (before, after) in relevant.items():
        at = f"{path}/{_escaped(key)}"
        tests.append(_test(at, before))  # null stands for absence [46]
        if before == after:
            continue
        if after is None:
            changes.append({"op": "remove", "path": at})
        else:
            changes.append({"op": "add", "path": at, "value": after})


def _test(path: str, value: str | None) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _record(found: Deployment) -> str | None:
    return found.metadata.annotation(names.RECORD)


def _rest(found: Deployment) -> tuple[str | None, str | None, str | None]:
    return (
        found.metadata.label(names.PHASE),
        found.metadata.annotation(names.MESSAGE),
        found.spec.template.metadata.annotation(names.RUN_ID),
    )


def _image_at(found: Deployment, image: ImageChange) -> str | None:
    spec = found.spec.template.spec
    held = (spec.init_containers if image.init else spec.containers) or []
    return next((each.image for each in held if each.name == image.container), None)


def _stands_at(found: Deployment, image: ImageChange) -> bool:
    """Whether the image is at its very place, where the patch tests it."""
    spec = found.spec.template.spec
    held = (spec.init_containers if image.init else spec.containers) or []
    if image.index >= len(held):
        return False
    there = held[image.index]
    return (there.name, there.image) == (image.container, image.old)
