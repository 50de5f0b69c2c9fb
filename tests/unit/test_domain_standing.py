"""A bootstrap of which no counter moves: is it seen as one, why is it so, how long may it be so?"""

from dataclasses import replace

import pytest

from controller.domain.health.conditions import Condition
from controller.domain.health.look import Look
from controller.domain.health.observed_time import Attention, attend
from controller.domain.health.patience import patience_of
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.pods.run_pods import Life
from controller.domain.target import SyncMode
from controller.node.metrics_page import read_metrics
from tests.machine_objects import RULES
from tests.scenes import scene

LIFE = Life("pod-1", 0, None)
GAP = 1000.0  # seconds
HOUR = 3600.0
TIP = {"P/fetched": 3.0, "P/executed": 3.0, "C/fetched": 0.0, "C/executed": 0.0}


def page(name: str, second: int) -> NodeAnswer:
    read = read_metrics(scene(name).metrics[second].encode())
    return NodeAnswer(
        AnswerKind.ANSWERED,
        "",
        counters=read.counters,
        failed=read.failed,
        heights=read.heights,
        peers=read.peers,
    )


def counts(**counters: float) -> NodeAnswer:
    """`C_fetched=3` for `C/fetched`."""
    named = {key.replace("_", "/", 1).replace("_", "-"): value for key, value in counters.items()}
    return NodeAnswer(AnswerKind.ANSWERED, "", counters=named, peers=5)


class Run:
    """Looked at twice a minute."""

    def __init__(self, mode: str = SyncMode.FULL, network: str = "mainnet") -> None:
        self.seen = Attention("run")
        self.mode, self.network, self.at = mode, network, 0.0

    def looks(self, *answers: NodeAnswer, life: Life = LIFE) -> Attention:
        for answer in answers:
            self.at += 30
            look = Look(
                at=self.at,
                now=self.at,
                life=life,
                answer=answer,
                started=True,
                mode=self.mode,
                network=self.network,
            )
            self.seen = attend(self.seen, look, GAP, RULES)
        return self.seen

    @property
    def still(self) -> str | None:
        span = self.seen.spans.get(Condition.STILL)
        return span.sentence if span else None

    @property
    def patience(self) -> float:
        return patience_of(Condition.STILL, self.seen.progress, RULES).seconds


def test_a_state_sync_that_asks_in_vain_says_so() -> None:
    """Are the failed requests of the recorded node named, with how many there were?"""
    run = Run(SyncMode.STATE, "local")
    run.looks(*(page("state-sync-stuck", second) for second in (1, 3, 5, 8, 100, 300)))

    assert run.still == (
        "no counter of any chain moves (C/state-synced moved last; 1 peers);"
        " C atomic-synced: 146 requests failed, none succeeded"
    )
    assert run.patience == RULES.stall_syncing


def test_failed_requests_are_no_movement() -> None:
    """Does a node of which only they rise stand, for as long as they do?"""
    run = Run(SyncMode.STATE, "local")
    run.looks(*(page("state-sync-stuck", second) for second in (1, 3, 5, 8, 100, 300)))

    assert run.seen.progress.moved is False
    assert run.seen.spans[Condition.STILL].seconds == 4 * 30


def test_requests_that_failed_before_are_no_evidence() -> None:
    """Is nothing said of them where they no longer rise, or their chain moved since?"""
    run = Run(SyncMode.STATE)
    failing = replace(counts(C_state_synced=5, C_fetched=0), failed={"C/state-synced": 40.0})
    run.looks(failing, failing)
    assert run.still == "no counter of any chain moves (C/state-synced moved last; 5 peers)"

    run.looks(replace(failing, failed={"C/state-synced": 50.0}))
    assert run.still
    assert run.still.endswith("; C state-synced: 10 requests failed since")

    moved = replace(counts(C_state_synced=6, C_fetched=0), failed={"C/state-synced": 60.0})
    run.looks(moved)
    assert run.still is None
    run.looks(moved)
    assert run.still == "no counter of any chain moves (C/state-synced moved last; 5 peers)"


def test_another_process_counts_its_failed_requests_itself() -> None:
    """Is nothing carried over from a process that ended?"""
    run = Run(SyncMode.STATE)
    before, now = ({"C/state-synced": count} for count in (40.0, 3.0))
    asks = counts(C_state_synced=5, C_fetched=0)
    run.looks(replace(asks, failed=before), replace(asks, failed={"C/state-synced": 45.0}))
    other = Life("pod-1", 1, None)
    run.looks(*[replace(asks, failed=now)] * 2, life=other)

    assert run.still
    assert "failed" not in run.still


@pytest.mark.parametrize(
    ("steps", "patience"),
    [
        # fetched, not one executed: it may compact
        ([{"C_fetched": 9e7, "C_executed": 0}], RULES.stall_executing),
        ([{"C_fetched": 40, "C_executed": 0}], RULES.stall_executing),
        ([{"C_fetched": 9e7}], RULES.stall_executing),
        # executed what it fetched, and fetches the rest
        ([{"C_fetched": 9000, "C_executed": 9000}], RULES.stall_executing),
        (
            [{"C_fetched": 9000, "C_executed": 9000}, {"C_fetched": 9040, "C_executed": 9000}],
            RULES.stall_fetching,
        ),
        # so much of it that it compacts again
        (
            [{"C_fetched": 9000, "C_executed": 9000}, {"C_fetched": 14000, "C_executed": 9000}],
            RULES.stall_executing,
        ),
        ([{"C_executed": 5, "C_sae_executed": 3}], RULES.stall_executing),
        ([{"X_vertices_fetched": 5}], RULES.stall_fetching),
        ([{"P_fetched": 9e6, "P_executed": 0}], RULES.stall_executing),
        # C before others
        ([{"C_fetched": 9e7}, {"C_fetched": 9e7, "P_executed": 7}], RULES.stall_executing),
        ([{"C_state_synced": 9e7}], RULES.stall_syncing),
    ],
)
def test_how_long_it_may_stand(steps: list[dict[str, float]], patience: float) -> None:
    """Has a node that may compact what it fetched as long as one that executes?"""
    run = Run()
    for step in steps:
        run.looks(counts(**step))

    assert run.patience == patience


def test_blocks_fetched_by_an_earlier_process_are_compacted_too() -> None:
    """Has a process that fetched little the patience for what the one before it fetched?"""
    run = Run()
    run.looks(counts(C_fetched=9e7, C_executed=100))
    run.looks(counts(C_fetched=30, C_executed=0), life=Life("pod-1", 1, None))

    assert run.patience == RULES.stall_executing


@pytest.mark.parametrize("name", ["full", "no-c-config", "state-sync-skipped", "hang"])
def test_recorded_nodes_between_fetching_and_executing(name: str) -> None:
    """Is the patience that of executing as soon as they have fetched what they execute?"""
    run = Run()
    for second in scene(name).metrics:
        run.looks(page(name, second))
        assert run.patience == RULES.stall_executing, second


@pytest.mark.parametrize(
    ("mode", "answer", "stands"),
    [
        (SyncMode.STATE, TIP, False),
        (SyncMode.STATE, {**TIP, "C/state-synced": 0.0}, True),
        (SyncMode.STATE, {**TIP, "C/fetched": 4.0}, True),
        (SyncMode.STATE, {"P/fetched": 3.0}, True),  # there is no C yet
        (SyncMode.FULL, TIP, True),
        (SyncMode.P_CHAIN, {"P/fetched": 3.0}, True),
        (SyncMode.STATE, {}, False),
    ],
)
def test_what_is_not_seen_does_not_stand(
    mode: SyncMode, answer: dict[str, float], *, stands: bool
) -> None:
    """Is a C that may sync its state by counters that no page has never said to stand?"""
    run = Run(mode)
    run.looks(*[NodeAnswer(AnswerKind.ANSWERED, "", counters=answer, peers=5)] * 10)

    assert (run.still is not None) is stands


def test_a_node_as_sae_that_syncs_its_state_is_not_stalled() -> None:
    """After a day in which its page tells nothing of C: is it not called still, and when it fetches
    blocks and stops, it is?
    """
    run = Run(SyncMode.STATE)
    hidden = {**TIP, "C/blocks-synced": 0.0}
    text = "".join(
        f'avalanche_snowman_bs_{kind}{{chain="{chain}"}} {hidden[f"{chain}/{stage}"]}\n'
        for chain in "PC"
        for kind, stage in (("fetched", "fetched"), ("accepted", "executed"))
    )
    text += (
        'avalanche_evm_eth_sync_state_trie_leaves_received{chain="C"} 0\n'
        'avalanche_evm_transition_cchain_min_block_delay_seconds{chain="C"} 2\n'
    )
    read = read_metrics(text.encode())
    syncs = NodeAnswer(AnswerKind.ANSWERED, "", counters=read.counters, peers=5)
    run.looks(*[syncs] * 2880)
    assert run.still is None

    fetches = replace(syncs, counters={**read.counters, "C/fetched": 400.0})
    run.looks(*[fetches] * 20)
    assert run.still == "no counter of any chain moves (C/fetched moved last; 5 peers)"
