"""A target under test while others write to its Deployment: applied by kubectl, with an open run,
and looked at before and after.
"""

from controller.domain import names
from controller.domain.record.record import OpenRun
from controller.simulator.apiserver.resources import Object
from tests.kustomize import K8S
from tests.target_world import TargetWorld, images

TARGET = "fuji-c-chain-state-sync"
NAME = f"bootstrap-{TARGET}"
OVERLAY = str(K8S / "targets" / "overlays" / TARGET)
VOLUME = str(K8S / "targets" / "volumes" / TARGET)


async def kubectl(stage: TargetWorld, *arguments: str, given: str | None = None) -> str:
    code, output = await stage.kubectl(*arguments, given=given)
    assert code == 0, output
    return output


async def apply(stage: TargetWorld, *how: str) -> str:
    return await kubectl(stage, *(how or ("apply",)), "-k", OVERLAY)


async def applied_and_open(stage: TargetWorld, *how: str) -> OpenRun:
    """Applied for the first time, with its volume claim before it, and with a run whose node works;
    the controller stops then.
    """
    await kubectl(stage, *(how or ("apply",)), "-k", VOLUME)
    await apply(stage, *how)
    async with stage.controller():
        return await stage.bootstrapping(NAME)


async def goes_on(stage: TargetWorld, run: OpenRun, *, reverts: int, resumes: int) -> None:
    """The run passes, on its own data, with so many pins put back and pods resumed at least."""
    stage.world.annotate(NAME, soak="300ms")
    async with stage.controller():
        await stage.until(lambda: stage.own_node(NAME))
        await stage.until(lambda: images(stage.deployment(NAME)) == {run.image})
        now = stage.run(NAME)
        assert now is not None
        assert (now.id, now.reverts) == (run.id, reverts)
        outcome = await stage.finish(NAME)
    assert (outcome.run, outcome.phase) == (run.id, "Passed")
    assert stage.tree(NAME)[f"runs/{run.id}/db/000001.ldb"] == f"written in {run.id}"
    assert outcome.resumes >= resumes if resumes else outcome.resumes == 0
    assert len(stage.executions(run=run.id, data="fresh")) == 1


def standing(stage: TargetWorld) -> Object:
    """Everything that the controller has written, and the pod that came of it."""
    deployment, pod = stage.deployment(NAME), stage.world.pod_of(NAME)
    assert pod is not None
    annotations = deployment["metadata"]["annotations"]
    return {
        "images": images(deployment),
        "run": stage.run_id(NAME),
        "record": annotations[names.RECORD],
        "message": annotations[names.MESSAGE],
        "phase": deployment["metadata"]["labels"][names.PHASE],
        "pod": pod["metadata"]["uid"],
    }
