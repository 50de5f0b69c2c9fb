"""The four kinds of patch, and who owns which field, as pure functions of objects."""

from typing import Any

import pytest

from controller.simulator.apiserver import managed_fields
from controller.simulator.apiserver.apply import apply_configuration
from controller.simulator.apiserver.jsonpatch import MAX_OPERATIONS, apply_json_patch
from controller.simulator.apiserver.managed_fields import Manager
from controller.simulator.apiserver.merge import apply_merge_patch
from controller.simulator.apiserver.resources import BY_PLURAL
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.strategic import apply_strategic_patch

DOCUMENT = {"map": {"a/b": 1, "m~n": 2, "none": None}, "list": ["x", "y", "z"]}


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        ({"op": "test", "path": "/map/a~1b", "value": 1}, DOCUMENT),
        ({"op": "test", "path": "/map/m~0n", "value": 2.0}, DOCUMENT),
        ({"op": "test", "path": "/map/absent", "value": None}, DOCUMENT),
        ({"op": "test", "path": "/map/none", "value": None}, DOCUMENT),
        (
            {"op": "add", "path": "/list/1", "value": "n"},
            {**DOCUMENT, "list": ["x", "n", "y", "z"]},
        ),
        (
            {"op": "add", "path": "/list/-", "value": "n"},
            {**DOCUMENT, "list": ["x", "y", "z", "n"]},
        ),
        (
            {"op": "add", "path": "/list/3", "value": "n"},
            {**DOCUMENT, "list": ["x", "y", "z", "n"]},
        ),
        ({"op": "replace", "path": "/list/0", "value": "n"}, {**DOCUMENT, "list": ["n", "y", "z"]}),
        ({"op": "replace", "path": "/absent", "value": 1}, {**DOCUMENT, "absent": 1}),
        ({"op": "remove", "path": "/list/0"}, {**DOCUMENT, "list": ["y", "z"]}),
        (
            {"op": "move", "from": "/list/0", "path": "/list/2"},
            {**DOCUMENT, "list": ["y", "z", "x"]},
        ),
        (
            {"op": "copy", "from": "/list", "path": "/map"},
            {"map": ["x", "y", "z"], "list": ["x", "y", "z"]},
        ),
    ],
)
def test_json_patch_operations(operation: Any, wanted: Any) -> None:
    """Does each operation do what RFC 6902 and the server's library say?"""
    assert apply_json_patch(DOCUMENT, [operation]) == wanted


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/map/a~1b", "value": True},
        {"op": "test", "path": "/map/a~1b", "value": None},
        {"op": "test", "path": "/absent/deeper", "value": "x"},
        {"op": "test", "path": "/list/7", "value": None},
        {"op": "add", "path": "/absent/deeper", "value": 1},
        {"op": "add", "path": "/list/4", "value": 1},
        {"op": "replace", "path": "/list/3", "value": 1},
        {"op": "remove", "path": "/absent"},
        {"op": "add", "path": "no-slash", "value": 1},
        {"op": "no such operation", "path": "/map"},
    ],
)
def test_failed_json_patch_says_nothing(operation: Any) -> None:
    """Is a failed operation a 422 with empty details, whatever it was?"""
    with pytest.raises(StatusError) as caught:
        apply_json_patch(DOCUMENT, [operation])
    assert (caught.value.code, caught.value.body["details"]) == (422, {})


def test_too_many_operations() -> None:
    """Is a patch of more than ten thousand operations refused?"""
    operation = {"op": "test", "path": "/absent", "value": None}
    apply_json_patch(DOCUMENT, [operation] * MAX_OPERATIONS)
    with pytest.raises(StatusError) as caught:
        apply_json_patch(DOCUMENT, [operation] * (MAX_OPERATIONS + 1))
    assert caught.value.code == 413


def test_patch_that_fails_changes_nothing() -> None:
    """Does the document stay as it was when a later operation fails?"""
    document = {"a": [1]}
    with pytest.raises(StatusError):
        apply_json_patch(
            document, [{"op": "add", "path": "/a/0", "value": 0}, {"op": "remove", "path": "/b"}]
        )
    assert document == {"a": [1]}


@pytest.mark.parametrize(
    ("document", "patch", "wanted"),
    [
        ({"a": "b"}, {"a": None}, {}),
        ({"a": {"b": 1}}, {"a": {"c": None, "d": 2}}, {"a": {"b": 1, "d": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "b"}, {"a": {"x": {"y": None}}}, {"a": {"x": {}}}),
    ],
)
def test_merge_patch(document: Any, patch: Any, wanted: Any) -> None:
    """Does a merge patch do what RFC 7386 says?"""
    assert apply_merge_patch(document, patch) == wanted


CONTAINERS = {
    "containers": [
        {"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]},
        {"name": "b", "image": "1"},
    ]
}


@pytest.mark.parametrize(
    ("patch", "wanted"),
    [
        ({"containers": [{"name": "b", "image": "2"}]}, [("a", "1"), ("b", "2")]),
        ({"containers": [{"name": "a", "$patch": "delete"}]}, [("b", "1")]),
        ({"containers": [{"$patch": "replace"}, {"name": "c", "image": "3"}]}, [("c", "3")]),
        ({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}, [("b", "1"), ("a", "1")]),
        ({"containers": None}, None),
    ],
)
def test_strategic_patch_by_name(patch: Any, wanted: Any) -> None:
    """Are containers merged by their names, and the directives followed?"""
    found = apply_strategic_patch(CONTAINERS, patch).get("containers")
    assert (found and [(item["name"], item["image"]) for item in found]) == wanted


def test_strategic_patch_inside_an_item() -> None:
    """Is a variable merged by its name inside a container that is merged by its own?"""
    patch = {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}
    container = apply_strategic_patch(CONTAINERS, patch)["containers"][0]
    assert {item["name"]: item["value"] for item in container["env"]} == {"X": "1", "Y": "2"}


def test_strategic_patch_without_its_key() -> None:
    """Is an item without the key that it would be merged by refused?"""
    with pytest.raises(StatusError) as caught:
        apply_strategic_patch(CONTAINERS, {"containers": [{"image": "2"}]})
    assert caught.value.code == 400


def labels(**values: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "labels": dict(values)}}


def test_owner_changes_with_the_value() -> None:
    """Does who changes a value own it, and the one before lose it?"""
    first, second = labels(x="1", y="1"), labels(x="2", y="1")
    managed_fields.record_update({"metadata": {}}, first, Manager("one"), "v1", "t")
    second["metadata"]["managedFields"] = first["metadata"]["managedFields"]
    managed_fields.record_update(first, second, Manager("two"), "v1", "t")
    owners = {e.manager.name: e.paths for e in managed_fields.read(second["metadata"])}
    x, y = ("f:metadata", "f:labels", "f:x"), ("f:metadata", "f:labels", "f:y")
    assert (x in owners["one"], y in owners["one"], x in owners["two"]) == (False, True, True)


def test_fields_survive_their_own_form() -> None:
    """Is FieldsV1 read back as it was written, containers and list items included?"""
    obj = {"spec": {"containers": [{"name": "a", "args": ["x"], "env": [{"name": "E"}]}]}}
    paths = managed_fields.all_paths(obj)
    assert managed_fields.from_fields(managed_fields.to_fields(paths)) == paths


def test_apply_takes_back_what_it_no_longer_applies() -> None:
    """Does a field that its only owner stops applying go, and one that others own stay?"""
    resource, manager = BY_PLURAL["configmaps"], Manager("me", "Apply")
    live = resource.blank({})
    live["metadata"] = {"name": "a"}
    applied = {"metadata": {"name": "a", "labels": {"x": "1", "y": "1"}}}
    merged, entries = apply_configuration(live, applied, manager, force=False, resource=resource)
    managed_fields.write(merged["metadata"], entries)
    applied = {"metadata": {"name": "a", "labels": {"y": "1"}}}
    merged, _ = apply_configuration(merged, applied, manager, force=False, resource=resource)
    assert merged["metadata"]["labels"] == {"y": "1"}


def test_apply_shares_equal_values() -> None:
    """Is applying the value that is there already no conflict?"""
    resource = BY_PLURAL["configmaps"]
    live = labels(x="1")
    managed_fields.record_update({"metadata": {}}, live, Manager("one"), "v1", "t")
    same, other = labels(x="1"), labels(x="2")
    apply_configuration(live, same, Manager("two", "Apply"), force=False, resource=resource)
    with pytest.raises(StatusError) as caught:
        apply_configuration(live, other, Manager("two", "Apply"), force=False, resource=resource)
    assert caught.value.body["details"]["causes"][0]["field"] == ".metadata.labels.x"
