"""The simulated node beside the recorded one: what it answers at each stage, and its metrics.

`DIFFERENCES` has what is otherwise on purpose; what is not in it is the same.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from controller.domain.target import SyncMode
from controller.simulator.node import Plan
from tests.recorded_node import answers, families, recorded, recorded_lab
from tests.scenes import scene

pytestmark = pytest.mark.jumping

# What is not compared, a check or a method or a beginning of names, to the reason.
DIFFERENCES = {
    "bls": "scene slow-term ran without sybil protection, as no target does: its node validates",
    "network": "likewise: such a node needs no peers",
    "futureupgrade": "likewise: it agrees with nobody; of a lone peer that comes and goes, too",
    "eth_getBlockByNumber": "the simulated C begins at its tip, never at a genesis block, which has"
    " no transactions; and a network of later rules, as scene low-stake's, adds two keys",
    "avalanche_evm_eth_state_sync": "a recorded node has them when C's state sync has begun, which"
    " the simulated one's has as soon as there is a C",
}
P_AFTER_4S = Plan(bootstrap_seconds=16)  # when X and C are made; ready after 16
LOCKED = Plan(bootstrap_seconds=40, locked_at=5000)
LOCKED_READY = Plan(bootstrap_seconds=4, locked_at=60_010)
LOCKED_AT_ONCE = Plan(bootstrap_seconds=0, locked_at=60_001)
MOVED_ON = Plan(moved_on="avalanchego/1.16.0")
NOBODY = Plan(no_peers=True)
CANNOT_PARSE = Plan(bootstrap_seconds=8, cannot_parse=True)
STUCK = Plan(bootstrap_seconds=8, sync_stuck=True)
SKIPPED = Plan(bootstrap_seconds=16, summary="Skipped")
FULL_DISK = Plan(bootstrap_seconds=4, disk_full_after=100)
FEW = Plan(bootstrap_seconds=4, low_stake=True)
NO_SYBIL = ("bls", "network", "futureupgrade", "eth_getBlockByNumber")


@dataclass(frozen=True)
class Stage:
    """A part of a scene, and where the simulated node is like it."""

    scene: str
    since: float  # seconds in the scene
    until: float
    plan: Plan
    at: float  # seconds of the simulated node's life
    mode: SyncMode = SyncMode.FULL
    told: float = 0.0  # when it is sent SIGTERM; 0: never
    http_wait: float = 0.0
    beside: tuple[str, ...] = ()  # keys of DIFFERENCES

    def __str__(self) -> str:
        return f"{self.scene}-{self.since:g}s"


STAGES = [
    Stage("full", 1.0, 1.1, P_AFTER_4S, 4.5),
    Stage("full", 5.0, 6.0, P_AFTER_4S, 5.5),
    Stage("full", 37.0, 54.0, P_AFTER_4S, 30.0),
    Stage("full", 57.0, 58.0, P_AFTER_4S, 30.0),
    Stage("full-plain", 2.0, 2.1, P_AFTER_4S, 4.5),
    Stage("full-plain", 80.0, 82.0, P_AFTER_4S, 30.0),
    Stage("after-kill", 101.0, 102.0, P_AFTER_4S, 30.0),
    Stage("bad-block", 6.0, 21.0, P_AFTER_4S, 10.0),
    Stage("panic", 5.0, 21.0, P_AFTER_4S, 10.0),
    Stage("hang", 3.0, 3.1, P_AFTER_4S, 4.5),
    Stage("hang", 6.0, 6.1, LOCKED, 12.0),
    Stage("hang", 151.0, 152.0, LOCKED, 151.0),
    Stage("hang-when-ready", 12.0, 12.1, LOCKED_READY, 7.0),
    Stage("hang-when-ready", 159.0, 160.0, LOCKED_READY, 160.0),
    Stage("slow-term", 0.5, 0.6, LOCKED_AT_ONCE, 0.6, beside=NO_SYBIL),
    Stage("slow-term", 5.0, 6.0, LOCKED_AT_ONCE, 5.6, beside=NO_SYBIL),
    Stage("slow-term", 9.0, 52.0, LOCKED_AT_ONCE, 51.0, told=8.7, beside=NO_SYBIL),
    Stage("term-when-ready", 95.0, 95.5, P_AFTER_4S, 30.0),
    Stage("term-when-ready", 98.0, 101.0, P_AFTER_4S, 34.9, told=31.0, http_wait=5.0),
    Stage("term-in-bootstrap", 0.5, 0.7, P_AFTER_4S, 4.5),
    Stage("moved-on", 2.0, 2.1, MOVED_ON, 2.0),
    Stage("moved-on", 6.0, 121.0, MOVED_ON, 120.0),
    Stage("dead-beacon", 2.0, 4.0, NOBODY, 2.0),
    Stage("dead-beacon", 6.0, 151.0, NOBODY, 150.0),
    Stage("partial", 1.0, 1.1, Plan(bootstrap_seconds=0.5), 1.0, SyncMode.P_CHAIN),
    Stage("partial", 14.0, 19.0, Plan(bootstrap_seconds=0.5), 14.0, SyncMode.P_CHAIN),
    Stage("cannot-parse", 100.0, 101.0, CANNOT_PARSE, 100.0),
    Stage("disk-low", 70.9, 72.6, FULL_DISK, 40.0),
    Stage("disk-low", 82.0, 83.0, FULL_DISK, 60.0),
    Stage("low-stake", 50.0, 51.0, FEW, 60.0),
    Stage("low-stake", 179.0, 180.0, P_AFTER_4S, 60.0, beside=("eth_getBlockByNumber",)),
    Stage("no-c-config", 85.0, 86.0, P_AFTER_4S, 30.0),
    Stage("state-sync", 14.0, 15.0, P_AFTER_4S, 30.0, SyncMode.STATE),
    Stage("state-sync-stuck", 309.0, 310.0, STUCK, 300.0, SyncMode.STATE),
    Stage("state-sync-skipped", 5.0, 5.2, SKIPPED, 5.5, SyncMode.STATE),
    Stage("state-sync-skipped", 44.0, 46.0, SKIPPED, 30.0, SyncMode.STATE),
]


@pytest.mark.parametrize("stage", STAGES, ids=str)
async def test_answers_at_a_stage(stage: Stage) -> None:
    """Are status, headers and shape of each answer those of the recorded node?"""
    asked = answers(stage.scene, stage.since, stage.until)
    assert asked
    async with recorded_lab(stage.plan, stage.mode, http_wait=stage.http_wait) as lab:
        await lab.clock.advance(stage.told)
        if stage.told:
            lab.node.terminate()
        await lab.clock.advance(stage.at - stage.told)
        for question in asked:
            if question.rpc in stage.beside:
                continue
            was, now = recorded(question), await lab.ask(question)
            found = (now.status, now.telling, _without(now.shape, stage.beside))
            expected = (was.status, was.telling, _without(was.shape, stage.beside))
            assert found == expected, f"{question.method} {question.path} {question.words}"


def _without(document: Any, names: tuple[str, ...]) -> Any:
    """A health document without checks of those names."""
    if isinstance(document, dict) and isinstance(document.get("checks"), dict):
        kept = {name: check for name, check in document["checks"].items() if name not in names}
        return {**document, "checks": kept}
    return document


@dataclass(frozen=True)
class Page:
    """A recorded metrics page, and where the simulated node's is like it."""

    scene: str
    second: int
    plan: Plan
    at: float
    mode: SyncMode = SyncMode.FULL
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.scene}-{self.second}s"


PAGES = [
    Page("full", 4, P_AFTER_4S, 4.5),
    Page("full", 22, P_AFTER_4S, 9.0),
    Page("full", 57, P_AFTER_4S, 30.0),
    Page("hang", 145, LOCKED, 145.0),
    Page("hang-when-ready", 150, LOCKED_READY, 150.0),
    Page("moved-on", 30, MOVED_ON, 30.0),
    Page("dead-beacon", 151, NOBODY, 150.0),
    Page("partial", 5, Plan(bootstrap_seconds=0.5), 5.0, SyncMode.P_CHAIN),
    Page("partial", 18, Plan(bootstrap_seconds=0.5), 18.0, SyncMode.P_CHAIN),
    Page("cannot-parse", 81, CANNOT_PARSE, 80.0),
    Page("low-stake", 69, FEW, 60.0),
    Page("no-c-config", 84, P_AFTER_4S, 30.0),
    Page("state-sync", 5, P_AFTER_4S, 30.0, SyncMode.STATE),
    Page("state-sync", 17, P_AFTER_4S, 30.0, SyncMode.STATE),
    Page("state-sync-stuck", 1, STUCK, 4.0, SyncMode.STATE, ("avalanche_evm_eth_state_sync",)),
    Page("state-sync-stuck", 300, STUCK, 300.0, SyncMode.STATE),
    Page("state-sync-skipped", 41, SKIPPED, 12.0, SyncMode.STATE),
    Page("state-sync-skipped", 45, SKIPPED, 30.0, SyncMode.STATE),
]


@pytest.mark.parametrize("page", PAGES, ids=str)
async def test_metrics_at_a_stage(page: Page) -> None:
    """Are the families that tell of progress, peers and health there, and no others, with their
    types and labels?
    """
    was = families(scene(page.scene).metrics[page.second])
    async with recorded_lab(page.plan, page.mode) as lab:
        await lab.clock.advance(page.at)
        now = families(await lab.metrics())
    wanted = set(families(scene("full").metrics[22])) | set(now)
    kept = {n: was[n] for n in wanted & set(was) if not n.startswith(page.beside or ("-",))}
    found = {name: now[name] for name in now if not name.startswith(page.beside or ("-",))}
    assert found == kept
