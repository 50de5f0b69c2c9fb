"""Which of what was written, read and watched is the freshest."""

from controller.domain.objects import Deployment
from controller.engine.reconcile.record_memory import CATCHING_UP, RecordMemory
from tests.fakes import FakeClock
from tests.kube_samples.objects import as_deployment, deployment
from tests.machine_engine import still_store

KEY = "bootstrap/fuji"


def shown(version: str, generation: int) -> Deployment:
    return as_deployment(deployment("fuji", version, generation=generation))


async def test_what_we_wrote_is_believed_before_the_watch_tells_it() -> None:
    """Is an older object of the cache not, and a newer one at once?"""
    memory, ours = RecordMemory(still_store()), shown("100", 5)
    memory.written(ours, None)
    assert memory.freshest(KEY, shown("90", 4)) is ours
    newer = shown("110", 6)
    assert memory.freshest(KEY, newer) is newer
    assert memory.overdue_in(KEY) is None


async def test_what_was_read_is_believed_until_the_cache_moves() -> None:
    """Is a reading that is older than the cache, as of a restored cluster, the truth meanwhile?"""
    memory, cached, found = RecordMemory(still_store()), shown("100", 5), shown("50", 3)
    memory.read_anew(found, cached)
    assert memory.freshest(KEY, cached) is found
    moved = shown("51", 3)
    assert memory.freshest(KEY, moved) is moved


async def test_a_write_that_the_cache_never_shows_is_doubted() -> None:
    """Is it known when a watch that is well would have shown it?"""
    clock = FakeClock()
    memory = RecordMemory(still_store(), clock.monotonic)
    memory.written(shown("100", 5), None)
    assert memory.overdue_in(KEY) == CATCHING_UP
    await clock.advance(CATCHING_UP)
    assert memory.freshest(KEY, shown("50", 3)) is not None
    assert memory.overdue_in(KEY) == 0


def test_a_claim_may_wait_until_the_store_says_that_none_does() -> None:
    """Is it asked for again after a claim, after a loss of the store, and under another's care?"""
    memory = RecordMemory(still_store())
    assert not memory.unclaimed(KEY)
    for forgets in (
        lambda: memory.note_pending(KEY, maybe=True),
        memory.refilled,
        lambda: memory.forget(KEY),
    ):
        memory.note_pending(KEY, maybe=False)
        assert memory.unclaimed(KEY)
        forgets()
        assert not memory.unclaimed(KEY)
