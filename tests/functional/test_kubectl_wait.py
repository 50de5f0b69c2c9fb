"""`kubectl wait` on the label of the phase: what docs/kubernetes.md promises of it."""

import asyncio
import json
import shutil
from pathlib import Path
from random import Random

import pytest

from controller.base.clock import SystemClock
from controller.simulator.apiserver.server import SimulatedApiServer
from tests.functional.test_simulator_apiserver_kubectl import LABEL, Kubectl

PHASE = r"{.metadata.labels.bootstrap\.avax\.network/phase}"
PAGE = Path(__file__).parents[2] / "docs" / "kubernetes.md"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
async def test_it_waits_for_a_phase(tmp_path: Path) -> None:
    """Does it end when the phase is there and not before, also where there was no phase at all?"""
    server = SimulatedApiServer(SystemClock(), Random(1))
    await server.start()
    kubectl = Kubectl(server, tmp_path)
    await kubectl("create", "-f", str(kubectl.manifest))
    await kubectl("label", "deploy", "a", f"{LABEL}=Soaking")
    waiting = await kubectl.start(
        "wait", "deployment/a", f"--for=jsonpath={PHASE}=Idle", "--timeout=60s"
    )
    while not any("watch=true" in seen.path for seen in server.requests):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert waiting.returncode is None
    await kubectl("label", "--overwrite", "deploy", "a", f"{LABEL}=Idle")
    out, _ = await waiting.communicate()
    assert (waiting.returncode, b"condition met" in out) == (0, True)
    late = await kubectl.start(
        "wait", "deployment/a", f"--for=jsonpath={PHASE}=Held", "--timeout=1s"
    )
    out, _ = await late.communicate()
    assert (late.returncode, b"timed out" in out) == (1, True)
    await server.stop()


def test_the_page_has_the_same_words() -> None:
    """Does the page show the path that was tried?"""
    assert json.dumps(PHASE)[1:-1].replace("\\\\", "\\") in PAGE.read_text("utf-8")
