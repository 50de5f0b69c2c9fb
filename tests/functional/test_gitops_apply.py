"""kubectl's two ways to apply Git's manifests over an open run, as docs/kubernetes.md tells of
them.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.simulator.apiserver.storage import copied
from tests.gitops import NAME, OVERLAY, TARGET, applied_and_open, apply, goes_on, kubectl, standing
from tests.kustomize import K8S, build, one
from tests.target_world import BARE, ENDLESS, REPOSITORY, TAG, TargetWorld, images, target_world

pytestmark = pytest.mark.jumping

ROOT = K8S.parent
OTHERS = ("configmap", "service")
SERVER_SIDE = ("apply", "--server-side")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[TargetWorld]:
    async with target_world(tmp_path) as found:
        found.world.push(REPOSITORY, TAG, ENDLESS)
        yield found


async def test_plain_apply_puts_the_image_back_and_loses_nothing(stage: TargetWorld) -> None:
    """Does plain apply in mid-run write Git's image and leave the run id, as documented, and does
    the controller put the pin back, name kubectl, and go on with the data?
    """
    run = await applied_and_open(stage)
    output = await apply(stage)
    assert f"deployment.apps/{NAME} configured" in output
    assert images(stage.deployment(NAME)) == {BARE}
    assert stage.run_id(NAME) == run.id
    # The same build by its bare tag: its pod resumes the run's data.
    await stage.until(lambda: stage.executions(run=run.id, data="resumed"))
    await goes_on(stage, run, reverts=1, resumes=2)
    assert "'kubectl-client-side-apply' took the pin" in " ".join(stage.said)


async def test_server_side_apply_meets_our_pin(stage: TargetWorld) -> None:
    """Does server-side apply without force stop at the images that we own, with the Deployment as
    it was and everything else applied?
    """
    run = await applied_and_open(stage, *SERVER_SIDE)
    before = stage.deployment(NAME)
    code, output = await stage.kubectl(*SERVER_SIDE, "-k", OVERLAY)
    assert code == 1
    assert 'conflicts with "bootstrap-controller"' in output
    assert re.findall(r"^- (.*)$", output, re.MULTILINE) == [
        '.spec.template.spec.containers[name="node"].image',
        '.spec.template.spec.initContainers[name="prepare-data"].image',
    ]
    for kind in OTHERS:
        assert re.search(rf"{kind}/{NAME} serverside-applied", output)
    assert stage.deployment(NAME) == before
    await goes_on(stage, run, reverts=0, resumes=0)


async def test_the_documented_way_to_apply_in_mid_run(stage: TargetWorld, tmp_path: Path) -> None:
    """Do the commands in docs/kubernetes.md, which apply with the image that is pinned, go through,
    and does what else was changed come into force in a pod that resumes the run?
    """
    run = await applied_and_open(stage, *SERVER_SIDE)
    before = standing(stage)
    changed = tmp_path / "changed"
    shutil.copytree(K8S, changed / "k8s")
    manifest = changed / "k8s" / "targets" / "base" / "deployment.yaml"
    manifest.write_text(manifest.read_text().replace("memory: 32Gi", "memory: 48Gi"))
    (script,) = [b for b in documented("sh") if "jsonpath" in b and "sed" in b]
    kubeconfig = stage.world.kubeconfig(tmp_path / "kubeconfig-for-the-script")
    await run_script(script, ROOT, kubeconfig)
    assert standing(stage) == before, "nothing was to be changed yet"
    await run_script(script, changed, kubeconfig)
    (node,) = stage.deployment(NAME)["spec"]["template"]["spec"]["containers"]
    assert node["resources"]["limits"]["memory"] == "48Gi"
    assert (images(stage.deployment(NAME)), stage.run_id(NAME)) == ({run.image}, run.id)
    await stage.until(lambda: stage.executions(run=run.id, data="resumed"))
    await goes_on(stage, run, reverts=0, resumes=1)


def documented(language: str) -> list[str]:
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


async def run_script(script: str, folder: Path, kubeconfig: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(kubeconfig.parent),  # kubectl keeps a cache there
            "KUBECONFIG": str(kubeconfig),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_server_side_apply_without_images_goes_through(stage: TargetWorld) -> None:
    """Does server-side apply of manifests that leave the images out change nothing of ours?"""
    run = await applied_and_open(stage, *SERVER_SIDE)
    before = standing(stage)
    deployment = copied(one(build(f"targets/overlays/{TARGET}"), "Deployment"))
    spec = deployment["spec"]["template"]["spec"]
    for container in (*spec["containers"], *spec["initContainers"]):
        del container["image"]
    await kubectl(stage, *SERVER_SIDE, "-f", "-", given=json.dumps(deployment))
    assert standing(stage) == before
    await goes_on(stage, run, reverts=0, resumes=0)


@pytest.mark.parametrize("how", [("apply",), SERVER_SIDE], ids=["plain", "server-side"])
async def test_applying_again_never_scales(stage: TargetWorld, how: tuple[str, ...]) -> None:
    """Does what a person has scaled stay scaled, however often the overlay is applied?"""
    await apply(stage, *how)
    assert stage.deployment(NAME)["spec"]["replicas"] == 1
    await kubectl(stage, "scale", "deployment", NAME, "--replicas=0")
    for _ in range(2):
        await apply(stage, *how)
        assert stage.deployment(NAME)["spec"]["replicas"] == 0
