"""The real kubectl works against the simulated API server."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from controller.base.clock import SystemClock
from controller.simulator.apiserver.server import SimulatedApiServer

KUBECTL = shutil.which("kubectl")
LABEL = "bootstrap.avax.network/phase"
MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a"},
    "spec": {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "metadata": {"labels": {"app": "a"}},
            "spec": {"containers": [{"name": "node", "image": "repo/node:v1"}]},
        },
    },
}


class Kubectl:
    """Runs kubectl with a kubeconfig and a cache of its own."""

    def __init__(self, server: SimulatedApiServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.config = server.kubeconfig(folder / "config")
        self.manifest = folder / "a.json"
        self.manifest.write_text(json.dumps(MANIFEST))

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        assert KUBECTL is not None
        return await asyncio.create_subprocess_exec(
            KUBECTL,
            f"--kubeconfig={self.config}",
            f"--cache-dir={self.folder / 'cache'}",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def __call__(self, *arguments: str) -> str:
        process = await self.start(*arguments)
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed")
    server = SimulatedApiServer(SystemClock(), Random(1))
    await server.start()
    yield Kubectl(server, tmp_path)
    await server.stop()


async def test_life_of_a_deployment(kubectl: Kubectl) -> None:
    """Do create, get, describe, label, annotate, patch, scale, apply and delete work?"""
    await kubectl("create", "-f", str(kubectl.manifest))
    await kubectl("label", "deployment", "a", f"{LABEL}=Starting")
    await kubectl("annotate", "deploy/a", "bootstrap.avax.network/message=all is well")
    assert "Starting" in await kubectl("get", "deploy", "-L", LABEL)
    assert "all is well" in await kubectl("describe", "deploy", "a")
    image = "/spec/template/spec/containers/0/image"
    patch = json.dumps([{"op": "replace", "path": image, "value": "repo/node:v2"}])
    await kubectl("patch", "deploy", "a", "--type=json", "-p", patch)
    await kubectl("scale", "deploy/a", "--replicas=2")
    obj = json.loads(await kubectl("get", "deploy", "a", "-o", "json"))
    assert obj["spec"]["template"]["spec"]["containers"][0]["image"] == "repo/node:v2"
    assert obj["spec"]["replicas"] == 2
    await kubectl("apply", "-f", str(kubectl.manifest))
    assert "unchanged" in await kubectl("apply", "-f", str(kubectl.manifest))
    await kubectl("delete", "deploy", "a")
    assert "No resources found" in await kubectl("get", "deploy")


async def test_server_side_apply_meets_its_owner(kubectl: Kubectl) -> None:
    """Is a field that somebody else set a conflict for apply, unless it is forced?"""
    apply = ("apply", "--server-side", "-f", str(kubectl.manifest))
    await kubectl(*apply)
    await kubectl("set", "image", "deploy/a", "node=repo/node:v2")
    with pytest.raises(AssertionError, match='conflict with "kubectl-set"'):
        await kubectl(*apply)
    await kubectl(*apply, "--force-conflicts")
    obj = kubectl.server.objects.get("deployments", "bootstrap", "a")
    assert obj["spec"]["template"]["spec"]["containers"][0]["image"] == "repo/node:v1"


async def test_watch_shows_changes(kubectl: Kubectl) -> None:
    """Does `get -w` print a row for each change?"""
    await kubectl("create", "-f", str(kubectl.manifest))
    process = await kubectl.start("get", "deploy", "-w", "-L", LABEL)
    assert process.stdout is not None
    assert b"NAME" in await process.stdout.readline()
    assert b"a " in await process.stdout.readline()
    while not any("watch=true" in seen.path for seen in kubectl.server.requests):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await kubectl("label", "deploy", "a", f"{LABEL}=Soaking")
    assert b"Soaking" in await process.stdout.readline()
    process.kill()
    await process.communicate()


async def test_events_of_an_object(kubectl: Kubectl) -> None:
    """Does `kubectl describe` find the Events of a Deployment, written by events.k8s.io/v1?"""
    await kubectl("create", "-f", str(kubectl.manifest))
    regarding = kubectl.server.objects.get("deployments", "bootstrap", "a")["metadata"]
    kubectl.server.objects.create(
        "events",
        {
            "metadata": {"name": "a.1", "namespace": "bootstrap"},
            "involvedObject": {
                "kind": "Deployment",
                "name": "a",
                "namespace": "bootstrap",
                "uid": regarding["uid"],
                "apiVersion": "apps/v1",
            },
            "reason": "Passed",
            "message": "bootstrapped at last",
            "type": "Normal",
            "eventTime": "2026-11-23T06:00:00.000000Z",
            "reportingComponent": "bootstrap.avax.network/controller",
        },
    )
    assert "bootstrapped at last" in await kubectl("describe", "deploy", "a")
    assert "bootstrapped at last" in await kubectl("get", "events")
