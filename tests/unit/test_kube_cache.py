"""The cache and whose pods are whose."""

from collections.abc import Sequence
from typing import Any

import pytest

from controller.domain.objects import Deployment, Pod
from controller.kube.pod_owner import deployment_of
from controller.kube.watch.cache import Cache, Change
from tests.kube_samples.objects import as_deployment, as_pod, deployment, pod, recording


def made(name: str = "fuji", version: str = "1", **changes: Any) -> Deployment:
    return as_deployment(deployment(name, version, **changes))


def listed(
    cache: Cache[Deployment], *found: Deployment, keep: Sequence[str] = ()
) -> list[Change[Deployment]]:
    """What a whole list of these changed."""
    replacement = cache.replacement(keep)
    replacement.add(found)
    return replacement.finish()


@pytest.fixture
def cache() -> Cache[Deployment]:
    cache = Cache[Deployment]()
    cache.put(made())
    return cache


def test_a_newer_version_is_one_change(cache: Cache[Deployment]) -> None:
    """Readers see the new object and handlers both."""
    newer = made(version="2")

    (change,) = cache.put(newer)

    assert change.before is not None
    assert change.after is newer
    assert cache.get("bootstrap/fuji") is newer


def test_the_same_version_again_is_no_change(cache: Cache[Deployment]) -> None:
    """A relist of a quiet cluster wakes nobody."""
    assert cache.put(made()) == []
    assert listed(cache, made()) == []


def test_a_version_that_is_told_twice_is_another_object(cache: Cache[Deployment]) -> None:
    """Is what a server says that was put back to an earlier day, and counts on from there, seen?"""
    (change,) = cache.put(made(labels={"bootstrap.avax.network/test": "true", "phase": "Idle"}))
    assert change.before is not None
    assert cache.get("bootstrap/fuji") is change.after


def test_another_uid_under_the_name_is_a_deletion_and_an_addition(
    cache: Cache[Deployment],
) -> None:
    """A Deployment that was made again is not the one that we knew."""
    old, new = cache.get("bootstrap/fuji"), made(uid="other")

    assert cache.put(new) == [Change(old, None), Change(None, new)]


def test_a_list_deletes_what_it_does_not_have(cache: Cache[Deployment]) -> None:
    """A deletion that was missed while we were not watching is found by the next list."""
    (gone,) = [each for each in listed(cache, made("main")) if each.after is None]

    assert gone.before is not None
    assert gone.before.metadata.name == "fuji"
    assert cache.keys() == ["bootstrap/main"]


def test_what_did_not_change_is_the_same_object(cache: Cache[Deployment]) -> None:
    """Does a list that says nothing new leave what readers hold as it is?"""
    held = cache.get("bootstrap/fuji")
    listed(cache, made(), made("main"))
    assert cache.get("bootstrap/fuji") is held


def test_a_list_takes_its_place_at_once(cache: Cache[Deployment]) -> None:
    """Does nobody see a part of a list that is compared in parts?"""
    replacement = cache.replacement()
    replacement.add([made("main")])
    assert cache.keys() == ["bootstrap/fuji"]
    replacement.add([made("next")])
    replacement.finish()
    assert cache.keys() == ["bootstrap/main", "bootstrap/next"]


def test_an_unreadable_object_in_a_list_is_not_a_deletion(cache: Cache[Deployment]) -> None:
    """What is there and cannot be read stays as it was last known."""
    assert listed(cache, keep=["bootstrap/fuji"]) == []
    assert cache.get("bootstrap/fuji") is not None


def test_a_late_deletion_of_the_former_object_is_ignored(cache: Cache[Deployment]) -> None:
    """The name belongs to another object by now."""
    assert cache.remove("bootstrap/fuji", uid="former") == []
    assert len(cache) == 1


def test_pods_are_found_by_owner_until_they_are_gone() -> None:
    """The index follows additions, changes of owner, and removals."""
    cache = Cache[Pod](deployment_of)
    cache.put(as_pod(pod("a")))
    cache.put(as_pod(pod("b")))
    assert [each.metadata.name for each in cache.owned("bootstrap/fuji")] == ["a", "b"]

    cache.put(as_pod(pod("b", owner="main", version="2")))
    cache.remove("bootstrap/a")

    assert list(cache.owned("bootstrap/fuji")) == []
    assert [each.metadata.name for each in cache.owned("bootstrap/main")] == ["b"]


def test_a_recorded_pod_belongs_to_its_deployment() -> None:
    """The name of the ReplicaSet and the hash of the template lead there."""
    (found,) = recording("41")["response"]["body"]["items"]

    assert deployment_of(as_pod(found)) == "bootstrap/fuji-state-sync"


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {}},
        {"ownerReferences": []},
        {"ownerReferences": [{"kind": "Job", "name": "fuji-abc"}]},
        {"ownerReferences": [{"kind": "ReplicaSet", "name": "fuji-xyz"}]},
        {"ownerReferences": [{"kind": "ReplicaSet", "name": "-abc"}]},
        {"ownerReferences": [{"kind": "ReplicaSet", "name": "fuji-abc", "controller": False}]},
    ],
)
def test_a_pod_that_no_deployment_made_belongs_to_none(changes: dict[str, Any]) -> None:
    """Jobs, bare pods and look-alikes are not a Deployment's."""
    assert deployment_of(as_pod(pod("a", **changes))) is None
