"""`run --dry-run --once`: which image would be written where, and nothing is."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from controller.domain import names
from tests.commands import Finished, command
from tests.controlled_world import BUILD, ControlledWorld

pytestmark = pytest.mark.jumping


async def dry(world: ControlledWorld, *words: str) -> Finished:
    return await command(
        "run", "--dry-run", "--once",
        "--kubeconfig", str(world.kubeconfig),
        "--registry", f"docker.io={world.world.registry.url}",
        "--log-format", "json",
        *words,
    )  # fmt: skip


def told(done: Finished) -> dict[str, dict[str, Any]]:
    """By Deployment."""
    entries = [orjson.loads(line) for line in done.err.splitlines()]
    said = [{"message": each["message"], **each["bootstrap"]} for each in entries]
    return {each["deployment"]: each for each in said if "deployment" in each}


async def test_it_says_which_image_it_would_write_where(world: ControlledWorld) -> None:
    """Is the pin named, image and containers, and does the process end with nothing written?"""
    world.deploy("fuji")
    before = world.metadata("fuji")["generation"]
    done = await dry(world)
    assert done.code == 0, done.err
    entry = told(done)["bootstrap/fuji"]
    image = f"avaplatform/avalanchego:latest@{BUILD.digest()}"
    assert entry["would_write"] == [
        f"container node: {image}",
        f"init container prepare-data: {image}",
    ]
    assert entry["target"] == "fuji-c-chain-state-sync"
    assert entry["would_start"]
    assert world.metadata("fuji")["generation"] == before
    assert names.RECORD not in (world.metadata("fuji").get("annotations") or {})
    assert world.world.api.storage.peek("leases", "bootstrap", names.FIELD_MANAGER) is None


async def test_of_two_of_one_target_only_one_would_start(world: ControlledWorld) -> None:
    """Does the second of a target wait for the first, as it would?"""
    world.deploy("one")
    world.deploy("two")
    found = told(await dry(world))
    assert [bool(found[f"bootstrap/{name}"]["would_start"]) for name in ("one", "two")] == [
        True,
        False,
    ]
    assert found["bootstrap/two"]["reason"] == "Duplicate"
    assert "bootstrap/one" in found["bootstrap/two"]["message"]


async def test_the_limit_of_open_runs_counts(world: ControlledWorld) -> None:
    """Does no more start than --max-open-runs allows?"""
    for number in range(3):
        world.deploy(f"net-{number}", network=f"network-{number + 1000}")
    found = told(await dry(world, "--max-open-runs", "2"))
    assert [bool(found[key]["would_start"]) for key in sorted(found)] == [True, True, False]
    assert "--max-open-runs allows no more" in found["bootstrap/net-2"]["message"]


async def test_a_long_dry_run_counts_too(world: ControlledWorld) -> None:
    """Does a dry run without an end say the same of the second of a target?"""
    world.deploy("one")
    world.deploy("two")
    world.start(dry_run=True, settle="0s")
    await world.until(lambda: world.has_said("container node: avaplatform/avalanchego"))
    await world.until(lambda: world.has_said("'reason': 'Duplicate'"))
    starts = {
        line.partition("'deployment': '")[2].partition("'")[0]
        for line in world.said
        if "container node:" in line
    }
    assert len(starts) == 1, starts


async def test_nothing_to_do(world: ControlledWorld) -> None:
    """Does it say so with exit code 3 where nothing is labelled?"""
    assert (await dry(world)).code == 3


async def test_once_alone_is_a_fault(tmp_path: Path) -> None:
    """Is a controller that works not ended after a look?"""
    done = await command("run", "--once", "--kubeconfig", str(tmp_path / "none"))
    assert done.code == 2
    assert "--once" in done.err
    assert "write --dry-run beside it" in done.err
