"""What the pods of a real kubelet tell of a run, event by event (tests/kubelet_scenes.py)."""

import pytest
from msgspec.structs import replace

from controller.domain.pods.run_pods import RunPods, view_pods
from tests.kubelet_scenes import KubeletScene
from tests.unit.test_domain_record import RUN

_KINDS = ("pulling", "unplaced", "not_created", "manifest", "volume", "others")


def views(scene: str) -> list[RunPods]:
    """After each event; the run is the recorded one."""
    found = KubeletScene(scene)
    seen = []
    for pods in found.pods():
        ours = [p for p in pods if found.run in (p.metadata.annotations or {}).values()]
        image = next((c.image for p in ours for c in p.spec.containers or ()), RUN.image)
        build = image.partition("@")[2] or RUN.build
        run = replace(RUN, id=found.run, image=image, build=build)
        seen.append(view_pods(pods, run, "node"))
    return seen


def kept_by(scene: str) -> list[str]:
    """The kinds of obstacles in the order in which they first held."""
    kinds = ["+".join(k for k in _KINDS if getattr(v.obstacles, k)) for v in views(scene)]
    return list(dict.fromkeys(filter(None, kinds)))


@pytest.mark.parametrize(
    ("scene", "kinds"),
    [
        ("pass", ["unplaced"]),
        ("noexec", ["unplaced", "not_created"]),
        ("configerror", ["unplaced", "not_created"]),
        ("gone", ["unplaced", "pulling"]),
        ("readonly", ["unplaced", "volume"]),
        ("sidecar", ["unplaced"]),
        ("crash", ["unplaced"]),
        ("zero", ["unplaced"]),
        ("oom", ["unplaced"]),
        ("unschedulable", ["unplaced"]),
    ],
)
def test_what_keeps_a_node_is_named(scene: str, kinds: list[str]) -> None:
    """Is the kind of each recorded obstacle known, and is none seen where there was none?"""
    assert kept_by(scene) == kinds


def test_a_program_that_cannot_be_started_has_not_run() -> None:
    """Is what ends with StartError, in 1970, neither a start nor a life, but an obstacle?"""
    found = views("noexec")
    assert not any(v.ran or v.life or v.started for v in found)
    last = found[-1]
    assert last.status is not None
    assert last.status.restart_count == 4
    assert "/avalanchego/build/nosuch: no such file" in last.obstacles.not_created
    held = [v for v in found if v.status and v.status.restart_count]
    assert all(v.obstacles.not_created for v in held)  # in its back-off, too


def test_a_container_that_cannot_be_created_says_why() -> None:
    """Is the kubelet's sentence passed on?"""
    assert views("configerror")[-1].obstacles.not_created == 'secret "nosuch" not found'


@pytest.mark.parametrize("scene", ["sidecar", "moved", "reboot"])
def test_a_machine_that_went_away_is_nobodys_trouble(scene: str) -> None:
    """Is neither a sidecar that was lost with its machine told, nor the word of ours unheard?"""
    found = views(scene)
    assert not any(v.obstacles.others or v.obstacles.volume or v.foreign for v in found)
    assert not any("not the run's own" in v.obstacles.unplaced for v in found)
    assert found[-1].word is not None
    assert (found[-1].word.data, found[-1].word.resumes) == ("resumed", 1)
    assert found[-1].life is not None
    assert found[-1].life.restarts == 1


@pytest.mark.parametrize("scene", ["pass", "crash", "zero", "oom", "arm", "moved", "sidecar"])
def test_a_node_that_ran_is_known_to_have_run(scene: str) -> None:
    """Is its first start told, and never a time before its pod was made?"""
    for v in views(scene):
        if v.ran:
            assert v.pod is not None
            created = v.pod.metadata.creation_timestamp
            assert v.started is not None
            assert created is not None
            assert v.started >= created
    assert views(scene)[-1].ran
