"""Causes of failure as a simulated node plays them, from pod states, exit codes, logs, health and
metrics, to the verdict of the whole controller. What must come to none is in
test_survived_on_simulator.py.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from controller.base.durations import parse_duration
from controller.domain import names
from controller.domain.defaults import Rules
from controller.domain.failure_class import CLASSES
from controller.domain.target import SyncMode
from controller.simulator.manifests import TargetManifest
from controller.simulator.node import Plan, Unhealthy
from controller.simulator.node.start_failure import StartFailure
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from store import open_store
from tests.causes_world import (
    COMMIT,
    LONG,
    QUICK,
    begin,
    bootstrapping,
    causes_world,
    ends,
    kill,
    pod,
    running,
)
from tests.controlled_world import HOUR, REPOSITORY, SELDOM, ControlledWorld
from tests.redis_servers import redis_server

pytestmark = pytest.mark.jumping

Play = Callable[[ControlledWorld], Awaitable[None]]
RULES = Rules()
LOOK = 1.1 * parse_duration(SELDOM["probe_interval"])  # seconds between two looks at most


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with causes_world(tmp_path) as found:
        yield found


def plays(plan: Plan, **manifest: Any) -> Play:
    """A build that does it all by itself."""

    async def play(world: ControlledWorld) -> None:
        begin(world, plan, **manifest)

    return play


async def killed(world: ControlledWorld) -> None:
    """By somebody who leaves no word, such as another program on the machine."""
    begin(world, LONG)
    for restarts in range(6):
        await running(world, restarts)
        kill(world)


async def zero_twice(world: ControlledWorld) -> None:
    """By itself, and without a word: nothing told it to."""
    begin(world, LONG)
    for restarts in range(2):
        (await running(world, restarts)).kill(0)


async def other_data(world: ControlledWorld) -> None:
    """The database becomes one of another network, as by a restored snapshot, and is opened."""
    begin(world, LONG)
    await bootstrapping(world)
    (directory,) = world.world.volume("fuji").runs.values()
    directory.progress.network = "mainnet"
    kill(world)


async def wrong_architecture(world: ControlledWorld) -> None:
    """Of all in the image, so already its init container cannot run."""
    begin(world, QUICK, build={"wrong_architecture": True})


async def no_secret(world: ControlledWorld) -> None:
    """Its node's container has a variable from a Secret that is not there, written before its run
    began.
    """
    begin(world, QUICK)
    reference = {"secretKeyRef": {"name": "nosuch", "key": "key"}}

    def change(deployment: Any) -> None:
        node = deployment["spec"]["template"]["spec"]["containers"][0]
        node["env"].append({"name": "TRACING", "valueFrom": reference})

    world.world.change("fuji", change)


async def wrong_version(world: ControlledWorld) -> None:
    """The tag that was followed is a commit, and the node says that it is another."""
    begin(world, LONG, tag="b2b2b2b2")


async def no_pull(world: ControlledWorld) -> None:
    world.world.images.broken = lambda _: "toomanyrequests: You have reached your pull rate limit"
    begin(world, QUICK)


async def cordoned(world: ControlledWorld) -> None:
    world.world.cordon()
    begin(world, QUICK)


async def halted(world: ControlledWorld) -> None:
    """The network stands still, and with it the nodes of another build too."""
    stands = Plan(bootstrap_seconds=20 * HOUR, stall_after=10 * HOUR)
    other = SimulatedBuild("1.14.1", COMMIT, stands)
    world.world.push(REPOSITORY, "other", other)
    world.deploy("fuji-full", image=f"{REPOSITORY}:other", mode=SyncMode.FULL)
    begin(world, stands)


async def detached(world: ControlledWorld) -> None:
    world.world.detach("fuji")
    begin(world, QUICK)


async def other_volume(world: ControlledWorld) -> None:
    """The claim has another volume when the pod comes again, after the node had begun."""
    begin(world, LONG)
    await bootstrapping(world)
    world.world.replace_volume("fuji")
    world.world.workloads.evict(NAMESPACE, pod(world))


async def unusable_volume(world: ControlledWorld) -> None:
    world.world.volume("fuji").fault = "/data is not writable: the volume is read-only"
    begin(world, QUICK)


@dataclass(frozen=True)
class Cause:
    reason: str
    whose: str  # class of the failure
    play: Play
    says: tuple[str, ...]  # what a person finds in the sentence of evidence
    name: str = ""  # where a reason has several
    after: float | None = None  # seconds of patience; None where the run fails by what is counted

    def __str__(self) -> str:
        return f"{self.reason}-{self.name}" if self.name else self.reason


CLIENT, INFRASTRUCTURE, CONFIGURATION = "client", "infrastructure", "configuration"
NETWORK, UNCLEAR = "network", "unclear"
SILENT_CRASH = replace(LONG, crash_after=50.0, crash_code=139, crash_line="")
NO_SIDE = "the engine received a message that it did not expect"
# Two ends each of three kinds, none of them more than half.
NOTHING_IN_COMMON = replace(
    LONG,
    oom_after=60.0,
    oom_times=2,
    disk_full_after=70.0,
    disk_full_times=2,
    crash_after=80.0,
    crash_line=NO_SIDE,
)
UNKNOWN_FLAG = "couldn't configure flags: unknown flag: --foo"
# Of a flag that the manifest names, by its variable.
REFUSED_FLAG = 'couldn\'t configure flags: invalid argument "x" for "--http-host" flag: no'
CLOSED = Unhealthy("database", "closed", begin=HOUR + 60.0)

CAUSES = [
    Cause(
        "CrashLoop",
        UNCLEAR,
        plays(SILENT_CRASH),
        ("restarted 6 times", "last exit code 139", "killed by SIGSEGV"),
        "without a word",
    ),
    Cause(
        "CrashLoop", UNCLEAR, killed, ("restarted 6 times", "killed by SIGKILL"), "killed by others"
    ),
    Cause(
        "CrashLoop",
        UNCLEAR,
        plays(NOTHING_IN_COMMON),
        ("restarted 6 times", "last exit code 1"),
        "no common cause",
    ),
    Cause(
        "FatalExit",
        UNCLEAR,
        plays(replace(LONG, crash_after=60.0, crash_line=NO_SIDE)),
        ("restarted 6 times", "last exit code 1", f"C: shutting down chain: {NO_SIDE}"),
    ),
    Cause(
        "BadBlock",
        CLIENT,
        plays(replace(LONG, crash_after=60.0)),
        (
            "C cannot verify block 5000 (hrgMSH1…): invalid merkle root, local 9e84…, expected"
            " c4e1…; the same at the second start (exit code 1)",
        ),
    ),
    Cause(
        "Panic",
        CLIENT,
        plays(replace(LONG, panic_after=60.0)),
        ("C panicked: ", "the same at the second start (exit code 2)"),
    ),
    Cause(
        "Panic",
        CLIENT,
        plays(replace(LONG, exit_zero_after=60.0)),
        ("panicked: ", "nil pointer", "caught it, and ended with exit code 0"),
        "that is caught",
    ),
    Cause(
        "OwnFlagsRefused",
        CLIENT,
        plays(replace(LONG, refuses=UNKNOWN_FLAG)),
        (UNKNOWN_FLAG, "the manifest names it not", "the same at the second start"),
    ),
    Cause(
        "ExitedZero",
        CLIENT,
        zero_twice,
        ("exit code 0 though nothing told it to, 2 times",),
        "twice",
    ),
    Cause(
        "Stalled",
        CLIENT,
        plays(replace(LONG, stall_after=HOUR)),
        ("no counter of any chain moves", "moved last", "5 peers"),
        after=RULES.stall_executing,
    ),
    Cause(
        "Stalled",
        CLIENT,
        plays(replace(LONG, never_listens=True)),
        ("NotAnswering", "nobody listens yet on port 9650"),
        "never listens",
        RULES.silence_patience,
    ),
    Cause(
        "Timeout",
        CLIENT,
        plays(LONG, annotations={names.TIMEOUT: "12h"}),
        ("not passed after 12h", "(timeout 12h)", "still bootstrapping"),
    ),
    Cause(
        "UnhealthyAfterBootstrap",
        CLIENT,
        plays(replace(QUICK, unhealthy=(CLOSED,))),
        ("Unhealthy for", "database: closed"),
        after=RULES.unhealthy_patience,
    ),
    Cause(
        "TipNotAdvancing",
        CLIENT,
        plays(replace(QUICK, heights_frozen=True)),
        ("TipStands for", "C's newest block 60000", "old"),
        after=RULES.tip_patience,
    ),
    Cause("WrongVersion", CLIENT, wrong_version, (COMMIT, "this build is b2b2b2b2")),
    Cause(
        "ImagePull",
        INFRASTRUCTURE,
        no_pull,
        ("ImagePull for", "toomanyrequests: You have reached your pull rate limit"),
        after=RULES.image_pull_patience,
    ),
    Cause(
        "DiskFull",
        INFRASTRUCTURE,
        plays(replace(LONG, disk_full_after=60.0)),
        ("restarted 6 times", "last exit code 1", "low on disk space"),
    ),
    Cause(
        "DataDamaged",
        INFRASTRUCTURE,
        plays(replace(LONG, fails_to_start=StartFailure.TABLES_FLIPPED)),
        ("corruption on index-block", "the same at the second start"),
    ),
    Cause(
        "MachineFault",
        INFRASTRUCTURE,
        plays(replace(LONG, fails_to_start=StartFailure.PORT_TAKEN)),
        ("restarted 6 times", "bind: address already in use"),
        "port in use",
    ),
    Cause(
        "MachineFault",
        INFRASTRUCTURE,
        plays(replace(LONG, fails_to_start=StartFailure.FD_LIMIT)),
        ("restarted 6 times", "(32768) greater than max"),
        "open files",
    ),
    Cause(
        "OutOfMemory",
        INFRASTRUCTURE,
        plays(replace(LONG, oom_after=60.0)),
        ("restarted 6 times", "last exit code 137"),
    ),
    Cause(
        "Unschedulable",
        INFRASTRUCTURE,
        cordoned,
        ("Unschedulable for", "0/1 nodes are available: 1 node(s) were unschedulable"),
        "cordon",
        RULES.unschedulable_patience,
    ),
    Cause(
        "Unschedulable",
        INFRASTRUCTURE,
        detached,
        ("Unschedulable for", "its containers have not begun (volumes"),
        "volume that does not attach",
        RULES.unschedulable_patience,
    ),
    Cause(
        "VolumeLost",
        INFRASTRUCTURE,
        other_volume,
        ("the data of this run was gone when pod fuji-", "fresh"),
        "another volume",
    ),
    Cause(
        "VolumeLost",
        INFRASTRUCTURE,
        unusable_volume,
        ("VolumeTrouble for", "prepare-data ended with 1", "the volume is read-only"),
        "unusable",
        RULES.volume_patience,
    ),
    Cause(
        "NoPeers",
        INFRASTRUCTURE,
        plays(replace(LONG, no_peers=True, stall_after=60.0)),
        ("NoPeers for", "no peer"),
        after=RULES.no_peers_patience,
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        plays(replace(LONG, refuses=REFUSED_FLAG)),
        (REFUSED_FLAG, "the same at the second start (exit code 1)"),
        "flags",
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        other_data,
        ("db contains invalid genesis hash", "the same at the second start (exit code 1)"),
        "data",
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        wrong_architecture,
        ("ManifestRefused for", "prepare-data ended with 1", "exec /bin/bash: exec format error"),
        "architecture",
        RULES.config_patience,
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        no_secret,
        ("ContainerNotCreated for", 'secret "nosuch" not found'),
        "Secret that is missing",
        RULES.config_patience,
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        plays(LONG, env={"AVAGO_HTTP_ALLOWED_HOSTS": "node.example"}),
        ("HostRefused for", 'set AVAGO_HTTP_ALLOWED_HOSTS="*"'),
        "host",
        RULES.config_patience,
    ),
    Cause(
        "BadConfig",
        CONFIGURATION,
        plays(LONG, env={"AVAGO_HTTP_HOST": "127.0.0.1"}),
        ("HostRefused for", "set AVAGO_HTTP_HOST to 0.0.0.0"),
        "loopback",
        RULES.config_patience,
    ),
    Cause(
        "NetworkMovedOn",
        NETWORK,
        plays(replace(LONG, moved_on="avalanchego/1.16.0")),
        ("peers run avalanchego/1.16.0 and refuse this node's", "the network has moved on"),
        after=RULES.moved_on_patience,
    ),
    Cause(
        "NothingFetched",
        UNCLEAR,
        plays(replace(QUICK, cannot_parse=True)),
        ("NothingFetched for", "C has not fetched one block from 5 peers"),
        after=RULES.stall_fetching,
    ),
    Cause(
        "NetworkTrouble",
        NETWORK,
        halted,
        ("fuji is in trouble, fuji-full shows the same", "NotMoving for"),
    ),
    Cause(
        "OtherSyncMode",
        UNCLEAR,
        plays(replace(QUICK, summary="Skipped")),
        ("syncMode Skipped", "state sync was not tested"),
    ),
    Cause(
        "OtherSyncMode",
        UNCLEAR,
        plays(replace(QUICK, summary="Skipped", metrics=False)),
        ("syncMode Skipped", "state sync was not tested"),
        "no metrics",
    ),
]


@pytest.mark.parametrize("cause", CAUSES, ids=str)
async def test_a_run_that_fails_so_is_called_so(world: ControlledWorld, cause: Cause) -> None:
    """Is each cause called by its reason and class, with the evidence in its sentence?"""
    await cause.play(world)
    found = await ends(world)
    assert (found.phase, found.reason) == ("Failed", cause.reason), found.message
    assert found.message.endswith(f"({cause.whose})")
    assert [words for words in cause.says if words not in found.message] == [], found.message
    await world.until(lambda: world.phase("fuji") == "Held")
    assert world.outcomes("fuji") == ["Failed"]
    if cause.after is not None:
        told = re.search(r" for (\S+) of observed time", found.message)
        assert told is not None, found.message
        assert cause.after <= parse_duration(told[1]) <= cause.after + 2 * LOOK


def test_every_reason_of_a_failure_is_played() -> None:
    """Does the table leave out none of the closed list, and know whose fault each of it is?"""
    assert {c.reason: c.whose for c in CAUSES} == {str(r): str(c) for r, c in CLASSES.items()}


def test_the_manifest_of_the_tests_listens_outside_its_pod() -> None:
    """Is the loopback no reason for anything here, but where a scene says so?"""
    node = TargetManifest("fuji", network="fuji").deployment()
    env = node["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "AVAGO_HTTP_HOST", "value": "0.0.0.0"} in env


async def test_the_evidence_of_a_failure_is_handed_over(
    world: ControlledWorld, tmp_path: Path
) -> None:
    """Does the store hold, after a failure, the node's last words, its pods' states and what could
    not be read?
    """
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as redis:
        begin(world, replace(LONG, crash_after=60.0), store=redis.url)
        found = await ends(world)
        await world.until(lambda: world.has_said("evidence kept"))
        await world.stop()
        store = await open_store(redis.url)
        try:
            parts = await store.evidence(found.target, found.run)
        finally:
            await store.close()
    assert {"summary.json", "node-previous.log", "pods.json", "unread.txt"} <= set(parts)
    assert b"failed to verify block" in parts["node-previous.log"] + parts["node.log"]
    assert b'"class": "client"' in parts["summary.json"]
