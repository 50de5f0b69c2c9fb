"""Reads the log of a node that runs, seldom: how C came to its state, and why no peer stays.

How C came to its state is said in one line, which rotates away [scene state-sync], so it is looked
for while the node bootstraps; who answers that by its counters is not asked.
"""

from controller.base.clock import Clock
from controller.base.text import shown
from controller.domain.health.conditions import Condition
from controller.domain.health.look import Overheard
from controller.domain.health.observed_time import Attention
from controller.domain.health.synced import STATE_SYNCED
from controller.domain.node_http import AnswerKind
from controller.domain.node_log.running import RunningWords, read_running
from controller.domain.pods.run_pods import Life, RunPods
from controller.domain.record.record import OpenRun
from controller.domain.target import SyncMode
from controller.engine.ports import Witness

LINES = 2000  # of the end: half an hour and more, where each probe that fails is a line

# Seconds between two readings for C's sync mode: it is said minutes after C has begun.
SYNC_GAPS = (600.0,) * 5 + (3600.0,) * 6  # the number of readings in one life is one more
# Seconds that trouble lasts before its log is read, and between two readings.
TROUBLE_AGE = 300.0
TROUBLE_GAP = 1800.0
_TROUBLE = (
    Condition.NO_PEERS,
    Condition.MOVED_ON,
    Condition.STILL,
    Condition.NOTHING_FETCHED,
)


class RunningLogReader:
    """For one run."""

    def __init__(self, witness: Witness, clock: Clock) -> None:
        self._witness = witness
        self._clock = clock
        self._life: Life | None = None
        self._for_sync: list[float] = []  # monotonic seconds of the readings in this life
        self._ready = False  # one of them was when it had bootstrapped
        self._for_trouble: float | None = None  # monotonic seconds of the last one; None: none

    async def read(self, run: OpenRun, pods: RunPods, attention: Attention) -> Overheard | None:
        """What the log of the life that runs says, where it is due to be read."""
        pod, status, life = pods.pod, pods.status, pods.life
        if pod is None or status is None or life is None:
            return None
        if life != self._life:
            self._life, self._for_sync, self._ready = life, [], False
            self._for_trouble = None
        now = self._clock.monotonic()
        ready = attention.ready(life)
        trouble = self._in_trouble(attention, now)
        sync = self._wants_sync(run, attention, now, ready=ready)
        if not trouble and not sync:
            return None
        if trouble:
            self._for_trouble = now
        if sync:
            self._for_sync.append(now)
            self._ready = ready
        found = await self._witness.log(pod, status.name, lines=LINES)
        if found.unread:
            return _unread(life, attention, found.unread)
        return Overheard(life, _joined(life, attention, self._words(found.text)))

    def _words(self, text: str) -> RunningWords:
        return read_running(text, self._clock.now().timestamp())

    def _in_trouble(self, attention: Attention, now: float) -> bool:
        lasting = any(
            condition in attention.spans and attention.spans[condition].seconds >= TROUBLE_AGE
            for condition in _TROUBLE
        )
        return lasting and (self._for_trouble is None or now - self._for_trouble >= TROUBLE_GAP)

    def _wants_sync(self, run: OpenRun, attention: Attention, now: float, *, ready: bool) -> bool:
        if run.mode != SyncMode.STATE or attention.synced in STATE_SYNCED:
            return False
        overheard = attention.overheard
        if overheard is not None and overheard.words.sync_mode:
            return False  # it is said once in a life
        if ready:
            return not self._ready
        if not _may_have_begun(attention):
            return False
        readings = len(self._for_sync)
        if not readings:
            return True
        gap = SYNC_GAPS[readings - 1] if readings <= len(SYNC_GAPS) else None
        return gap is not None and now - self._for_sync[-1] >= gap


def _may_have_begun(attention: Attention) -> bool:
    """C counts only once it has begun; nobody knows where no counter is told."""
    answer = attention.answer
    if answer is None or answer.kind is not AnswerKind.ANSWERED:
        return False
    return not answer.counters or any(key.startswith("C/") for key in answer.counters)


def _joined(life: Life, attention: Attention, words: RunningWords) -> RunningWords:
    """A line that has rotated away was there all the same."""
    before = attention.overheard
    if before is None or before.life != life:
        return words
    then = before.words
    return RunningWords(
        newer=words.newer or then.newer,
        own=words.own or then.own,
        newer_at=words.newer_at if words.newer else then.newer_at,
        sync_mode=words.sync_mode or then.sync_mode,
    )


def _unread(life: Life, attention: Attention, why: str) -> Overheard:
    before = attention.overheard
    words = before.words if before is not None and before.life == life else RunningWords()
    return Overheard(life, words, shown(why))
