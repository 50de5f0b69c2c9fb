"""How many of the builds that a tag pointed to were tested."""

import pytest

from controller.views.traces import Covered, coverage_of
from store.api import Claim, Meta
from store.memory import MemoryStore
from tests.machine_engine import at_once, still_store

TARGET = "fuji-c-chain-state-sync"
RUN = "20261123t060000z-aaaaaaaa"
CLAIM = Claim(TARGET, "sha256:a", RUN, "bootstrap/fuji")


async def _filled(store: MemoryStore, phase: str, *, pending: bool) -> Covered:
    await store.refill(Meta(1, "first", 0, "cluster"), [])
    await store.note_seen(TARGET, CLAIM.build, at=1.0)
    await store.note_seen(TARGET, "sha256:b", at=2.0)
    await store.claim(CLAIM, epoch="first", seen_grants=0)
    if not pending:
        await store.settle(CLAIM)
    if phase:
        await store.put_run(TARGET, RUN, {"phase": phase})
    return await coverage_of(store, TARGET)


@pytest.mark.parametrize(
    ("phase", "pending", "tested"),
    [
        ("Passed", False, 1),
        ("Failed", False, 1),
        ("Aborted", False, 0),
        ("Starting", False, 0),
        ("Bootstrapping", False, 0),
        ("Soaking", False, 0),
        ("", True, 0),  # its run is still to begin
        ("", False, 1),  # the store has forgotten it
    ],
)
def test_finished_runs_are_counted(phase: str, pending: bool, tested: int) -> None:
    """Does a build count as tested once its run has told something of it?"""
    assert at_once(_filled(still_store(), phase, pending=pending)) == Covered(tested, 2)


def test_a_claim_that_has_forgotten_its_run_counts() -> None:
    """Is a build counted that a record remembers only as tested?"""

    async def covered(store: MemoryStore) -> Covered:
        await store.note_seen(TARGET, CLAIM.build, at=1.0)
        claim = Claim(TARGET, CLAIM.build, "", CLAIM.owner)
        await store.refill(Meta(1, "first", 0, "cluster"), [claim])
        return await coverage_of(store, TARGET)

    assert at_once(covered(still_store())) == Covered(1, 1)
