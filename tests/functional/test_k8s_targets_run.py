"""The manifests at work: applied by kubectl to the simulated cluster, with the real init script run
by bash, and tested by the controller.

Also what applying again does to an open run: by plain and by server-side apply, with what the
manifest restores (the image, both, an older pin).
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import pytest

from controller.app import App
from controller.base.clock import SystemClock
from controller.domain import names
from controller.domain.record import Record, decode_record
from controller.domain.target import SyncMode
from controller.settings import load_settings
from controller.simulator.node import Pace, Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.workloads import Speed
from controller.simulator.world import World
from controller.wiring import Surroundings
from tests.kustomize import K8S
from tests.script_init import ScriptInit
from tests.volume import data_of, marker_of

KUBECTL = shutil.which("kubectl")
REPOSITORY = "avaplatform/avalanchego"
TARGETS = [f"{network}-{mode.value}" for network in ("mainnet", "fuji") for mode in SyncMode]
TARGET = "fuji-c-chain-state-sync"
NAME = f"bootstrap-{TARGET}"
OVERLAY = str(K8S / "targets" / "overlays" / TARGET)
FAST = Speed(probe=0.05, restart_first=0.05, restart_cap=0.2, node=Pace(0.05, 0.2))
ENDLESS = Plan(bootstrap_seconds=inf)
OLD, NEW = (SimulatedBuild(commit=letter * 40, plan=ENDLESS) for letter in "ab")
RUN_ID_IN_PATHS = names.RUN_ID.replace("/", "~1")


@dataclass
class Site:
    """The world, kubectl for it, and what the init containers do."""

    world: World
    init: ScriptInit
    kubeconfig: Path

    async def kubectl(self, *arguments: str, given: str | None = None) -> tuple[int, str]:
        """Exit code and output."""
        assert KUBECTL is not None
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.kubeconfig.parent / 'cache'}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(None if given is None else given.encode())
        return process.returncode or 0, output.decode()

    async def apply(self, *arguments: str) -> None:
        code, output = await self.kubectl("apply", *arguments)
        assert code == 0, output

    def meta(self, name: str = NAME) -> Any:
        return self.world.deployment(name)["metadata"]

    def phase(self, name: str = NAME) -> str | None:
        return self.meta(name).get("labels", {}).get(names.PHASE)

    def image(self) -> str:
        spec = self.world.deployment(NAME)["spec"]["template"]["spec"]
        (image,) = {c["image"] for c in (*spec["containers"], *spec["initContainers"])}
        return str(image)

    def run(self) -> str:
        template = self.world.deployment(NAME)["spec"]["template"]
        return str((template["metadata"].get("annotations") or {}).get(names.RUN_ID, ""))

    def tree(self, name: str = NAME) -> dict[str, str]:
        return self.init.disk(self.world.volume(name)).tree()

    def record(self, name: str = NAME) -> Record:
        text = self.meta(name).get("annotations", {}).get(names.RECORD)
        if text is None:
            return Record(schema=0, namespace="bootstrap", name=name, uid="")
        return decode_record(text, "bootstrap", name)

    def resumes(self, run: str) -> int:
        marker = marker_of(self.tree(), run)
        return int(str(marker["resumes"])) if marker else 0

    def waits(self, why: str) -> int:
        """How often an init container said that it waits for this."""
        return sum("waiting: " in line and why in line for line in self.init.log)

    async def open_run(self) -> str:
        """Waits until the node of an open run works, leaves data as it does, and tells the run."""
        await self.world.until(lambda: self.phase() == "Bootstrapping", 20)
        run = self.run()
        self.init.disk(self.world.volume(NAME)).node_works(run)
        return run


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed")
    init = ScriptInit(tmp_path)
    async with World(SystemClock(), Random(7), speed=FAST, init_container=init) as world:
        yield Site(world, init, world.kubeconfig(tmp_path / "kubeconfig"))


@contextlib.asynccontextmanager
async def controller(site: Site) -> AsyncIterator[None]:
    """The whole controller, with short times."""
    flags = {
        "kubeconfig": str(site.kubeconfig),
        "registry": [f"docker.io={site.world.registry.url}"],
        "poll_interval": "200ms",
        "probe_interval": "100ms",
        "settle": "0s",
        "listen": "127.0.0.1:0",
    }
    app = App(load_settings(flags, {}), Surroundings(SystemClock(), Random(3), {}))
    running = asyncio.create_task(app.run(), name="controller")
    try:
        yield
    finally:
        app.stop()
        await running


async def test_every_target_goes_through_a_whole_run(site: Site) -> None:
    """Does each of the eight, as applied from k8s/targets, go from tag to Passed?"""
    build = SimulatedBuild(commit="a" * 40, plan=Plan(bootstrap_seconds=0.5))
    site.world.push(REPOSITORY, "latest", build)
    await site.apply("-k", str(K8S / "targets" / "overlays" / "all"))
    for target in TARGETS:
        site.world.annotate(f"bootstrap-{target}", soak="500ms")
    async with controller(site):
        for target in TARGETS:
            name = f"bootstrap-{target}"
            (outcome,) = await site.world.until(lambda name=name: site.record(name).outcomes, 40)
            assert (outcome.phase, outcome.target) == ("Passed", target)
            marker = marker_of(site.tree(name), outcome.run)
            assert marker is not None
            assert marker["resumes"] == 0
    assert sum("is fresh" in line for line in site.init.log) == 8


# --- Applying again while a run is open -----------------------------------------------------------


async def put_back(site: Site, before: dict[str, str], run: str) -> None:
    """Waits until the run's own pod works again, and looks at what is left of its data."""
    image = f"{REPOSITORY}:latest@{OLD.digest()}"
    await site.world.until(lambda: site.image() == image and site.run() == run, 20)
    await site.world.until(lambda: site.resumes(run) > 0 and site.world.node_of(NAME), 20)
    await site.world.until(lambda: site.phase() == "Bootstrapping", 20)
    assert site.record().run is not None
    assert site.record().outcomes == ()
    assert data_of(site.tree(), run) == data_of(before, run)


async def test_plain_apply_and_the_tag_has_moved(site: Site) -> None:
    """Is the data refused to the newer build that plain apply brings in, and resumed after?"""
    site.world.push(REPOSITORY, "latest", OLD)
    await site.apply("-k", OVERLAY)
    async with controller(site):
        run = await site.open_run()
        before = site.tree()
        site.world.push(REPOSITORY, "latest", NEW)
        await site.apply("-k", OVERLAY)
        assert site.image() == f"{REPOSITORY}:latest", "apply puts Git's image back"
        assert site.run() == run, "and leaves the run id"
        await site.world.until(lambda: any("is foreign" in line for line in site.init.log))
        assert site.tree() == before
        await put_back(site, before, run)


async def test_both_put_back(site: Site) -> None:
    """Does a pod without run id wait, untouched, until the pin is back?"""
    site.world.push(REPOSITORY, "latest", OLD)
    await site.apply("-k", OVERLAY)
    async with controller(site):
        run = await site.open_run()
        before = site.tree()
        waited = site.waits("no run id")
        bare = f"{REPOSITORY}:latest"
        patch = [
            {"op": "remove", "path": f"/spec/template/metadata/annotations/{RUN_ID_IN_PATHS}"},
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": bare},
            {"op": "replace", "path": "/spec/template/spec/initContainers/0/image", "value": bare},
        ]
        code, output = await site.kubectl(
            "patch", "deployment", NAME, "--type=json", "-p", json.dumps(patch)
        )
        assert code == 0, output
        await site.world.until(lambda: site.waits("no run id") > waited)
        assert site.tree() == before
        await put_back(site, before, run)


async def test_an_older_pin(site: Site) -> None:
    """Does an older pin with its older run id wait, and leave the newer run's data alone?"""
    older = SimulatedBuild(commit="c" * 40, plan=Plan(bootstrap_seconds=0.2))
    site.world.push(REPOSITORY, "latest", older)
    await site.apply("-k", OVERLAY)
    site.world.annotate(NAME, soak="200ms")
    async with controller(site):
        await site.world.until(lambda: site.record().outcomes, 30)
        _, saved = await site.kubectl("get", "deployment", NAME, "-o", "json")
        site.world.push(REPOSITORY, "latest", OLD)
        await site.world.until(lambda: site.record().run, 20)
        run = await site.open_run()
        before = site.tree()
        template = json.loads(saved)["spec"]["template"]
        patch = [{"op": "replace", "path": "/spec/template", "value": template}]
        code, output = await site.kubectl(
            "patch", "deployment", NAME, "--type=json", "-p", json.dumps(patch)
        )
        assert code == 0, output
        await site.world.until(lambda: site.waits(f"the newer run {run}"))
        assert site.tree() == before
        image = f"{REPOSITORY}:latest@{OLD.digest()}"
        await site.world.until(lambda: site.image() == image and site.run() == run, 20)
        await site.world.until(lambda: site.resumes(run) > 0, 20)
        assert data_of(site.tree(), run) == data_of(before, run)


async def server_side(site: Site) -> None:
    """Applies on the server from the first time on, as the documentation has it."""
    await site.apply("--server-side", "-k", OVERLAY)
    # The simulated API server gives no default to what server-side apply creates.
    await site.kubectl("scale", "deployment", NAME, "--replicas=1")


async def test_server_side_apply_stops(site: Site) -> None:
    """Does server-side apply without force change nothing, and say who is in the way?"""
    site.world.push(REPOSITORY, "latest", OLD)
    await server_side(site)
    async with controller(site):
        run = await site.open_run()
        image = site.image()
        code, output = await site.kubectl("apply", "--server-side", "-k", OVERLAY)
        assert code != 0
        assert names.FIELD_MANAGER in output
        assert "image" in output
        assert (site.image(), site.run()) == (image, run)
        assert site.resumes(run) == 0


async def test_server_side_apply_with_the_pin(site: Site) -> None:
    """Can something else be changed in mid-run, as the documentation shows it?"""
    site.world.push(REPOSITORY, "latest", OLD)
    await server_side(site)
    async with controller(site):
        run = await site.open_run()
        before = site.tree()
        code, built = await site.kubectl("kustomize", OVERLAY)
        assert code == 0, built
        changed = built.replace(f"image: {REPOSITORY}:latest", f"image: {site.image()}")
        changed = changed.replace("memory: 32Gi", "memory: 48Gi")
        code, output = await site.kubectl("apply", "--server-side", "-f", "-", given=changed)
        assert code == 0, output
        assert "48Gi" in json.dumps(site.world.deployment(NAME)["spec"])
        await put_back(site, before, run)


async def test_plain_apply_of_the_same_build(site: Site) -> None:
    """Does the run go on where the tag that plain apply brings in is still the same build?"""
    site.world.push(REPOSITORY, "latest", OLD)
    await site.apply("-k", OVERLAY)
    async with controller(site):
        run = await site.open_run()
        before = site.tree()
        await site.apply("-k", OVERLAY)
        assert site.image() == f"{REPOSITORY}:latest"
        await put_back(site, before, run)
    assert not any("is foreign" in line for line in site.init.log)
