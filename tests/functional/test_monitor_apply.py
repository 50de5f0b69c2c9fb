"""kubectl's two ways to apply a target with its monitor, over what is there already."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.domain import names
from controller.simulator.apiserver.resources import RESOURCES, Object
from controller.simulator.apiserver.storage import copied
from controller.simulator.world import NAMESPACE, PERSON
from tests.gitops import kubectl
from tests.kustomize import build
from tests.monitored_targets import FUJI, monitored
from tests.target_world import ENDLESS, REPOSITORY, TAG, TargetWorld, target_world

pytestmark = pytest.mark.jumping

NAME = f"bootstrap-{FUJI}"
KINDS = {resource.kind for resource in RESOURCES}
HELD = {"holderIdentity": "the-pod", "leaseDurationSeconds": 60, "leaseTransitions": 3}
WAYS = pytest.mark.parametrize(
    "way", [("apply",), ("apply", "--server-side")], ids=["plain", "server-side"]
)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[TargetWorld]:
    async with target_world(tmp_path) as found:
        found.world.push(REPOSITORY, TAG, ENDLESS)
        yield found


async def apply(stage: TargetWorld, way: tuple[str, ...], objects: tuple[Object, ...]) -> None:
    """But for Roles and bindings, which the simulator keeps none of."""
    given = "\n".join(json.dumps(o) for o in objects if o["kind"] in KINDS)
    await kubectl(stage, *way, "-f", "-", given=given)


@WAYS
async def test_the_lease_stays_its_holders(stage: TargetWorld, way: tuple[str, ...]) -> None:
    """Does applying again, even with a label of the Lease changed, take nothing of its spec?"""
    objects = tuple(map(copied, monitored()))
    await apply(stage, way, objects)
    stage.world.api.objects.update(
        "leases", NAMESPACE, NAME, lambda lease: lease | {"spec": HELD}, PERSON
    )
    (lease,) = (o for o in objects if o["kind"] == "Lease")
    lease["metadata"]["labels"]["team"] = "node"
    await apply(stage, way, objects)
    found = stage.world.api.objects.get("leases", NAMESPACE, NAME)
    assert found["metadata"]["labels"]["team"] == "node"
    assert found["spec"] == HELD


@WAYS
async def test_a_target_that_is_there_takes_it(stage: TargetWorld, way: tuple[str, ...]) -> None:
    """Does the monitor become the first init container of a target that was applied without it, and
    go again when it is applied so once more?
    """
    plain = build(f"targets/overlays/{FUJI}")
    await apply(stage, way, plain)
    await apply(stage, way, monitored())
    pod = stage.deployment(NAME)["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["initContainers"]] == ["monitor", "prepare-data"]
    assert pod["serviceAccountName"] == NAME
    assert stage.deployment(NAME)["metadata"]["labels"][names.TEST] == "true"
    await apply(stage, way, plain)
    pod = stage.deployment(NAME)["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["initContainers"]] == ["prepare-data"]
    assert "monitor-token" not in {v["name"] for v in pod["volumes"]}
    assert "serviceAccountName" not in pod


async def test_an_injected_sidecar_stays(stage: TargetWorld) -> None:
    """Does server-side apply put the monitor before prepare-data, and leave what another hand has
    put before that one, where it was?
    """
    way = ("apply", "--server-side")
    await apply(stage, way, build(f"targets/overlays/{FUJI}"))

    def inject(deployment: Object) -> None:
        inits = deployment["spec"]["template"]["spec"]["initContainers"]
        inits.insert(0, {**inits[0], "name": "injected"})

    stage.world.change(NAME, inject)
    await apply(stage, way, monitored())
    inits = stage.deployment(NAME)["spec"]["template"]["spec"]["initContainers"]
    assert [c["name"] for c in inits] == ["injected", "monitor", "prepare-data"]
