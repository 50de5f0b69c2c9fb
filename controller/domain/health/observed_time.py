"""What has been observed of an open run since this controller looks at it, and for how long.

Durations that lead to a verdict count observed time only (I10): the time between two looks that are
close enough together. What lies in a gap is not counted, and a gap begins the soak anew (I3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controller.domain.defaults import Rules
from controller.domain.health.conditions import BLINDING, OF_PODS, Condition, Sight, Span, holding
from controller.domain.health.look import LastWords, Look, Overheard
from controller.domain.health.rounds import Rounds, rounds_after, same_round
from controller.domain.health.soak import Soak, soaked
from controller.domain.health.synced import synced_after
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.pace.failed_requests import with_failed
from controller.domain.pace.progress import Progress, after
from controller.domain.pods.run_pods import Life


@dataclass(frozen=True)
class Attention:
    """All of one open run. Seconds are of observed time."""

    run: str  # its id
    looks: int = 0  # since this controller began to look
    last: float = 0.0  # monotonic seconds of the last look
    observed: float = 0.0  # since the node first started, those of earlier controllers too
    blind: float = 0.0  # of them those in which nobody saw the node, or it had nowhere to run
    reverted: float = 0.0  # for which the pin has been taken back without a break
    down: float = 0.0  # for which no process of the node has run, without a break
    spans: Mapping[Condition, Span] = field(default_factory=dict)  # the conditions that hold
    soak: Soak | None = None  # the one under way
    lacking: str = ""  # why the last look was no healthy one; empty if it was
    answer: NodeAnswer | None = None  # the last look's; None where there was none
    answered_life: Life | None = None  # whose answer it was
    progress: Progress = field(default_factory=Progress)  # of all lives and all controllers
    # What the record said when this controller began to look: `observed`, and how long which
    # condition of the pods had lasted
    began_with: float = 0.0
    lasted_for: Mapping[Condition, float] = field(default_factory=dict)
    rounds: Rounds = field(default_factory=Rounds)  # of the node's checks
    words: LastWords | None = None  # of the last process that ended
    heard: tuple[str, int] | None = None  # the last end that was looked at, as `Look.ends`
    overheard: Overheard | None = None  # of the log of the life that runs; None: nothing yet
    synced: str = ""  # how C came to its state, in any life: of `health.synced`; or empty

    @property
    def first_look(self) -> bool:
        """No verdict by time is spoken on it (I10)."""
        return self.looks <= 1

    @property
    def bootstrapped(self) -> bool:
        """Whether the last look's answer said so."""
        return self.answer is not None and self.answer.ready

    def ready(self, life: Life | None) -> bool:
        """Whether this very life has said that it has bootstrapped."""
        return bool(
            life is not None and self.answer and self.answer.ready and self.answered_life == life
        )


def attend(before: Attention, look: Look, gap: float, rules: Rules) -> Attention:
    """What is known after one more look. gap: seconds between looks that are no observation."""
    elapsed = look.at - before.last if before.looks else 0.0
    unbroken = bool(before.looks) and elapsed <= gap
    counted = elapsed if unbroken else 0.0
    progress = _progress(before, look, counted)
    soak, lacking = soaked(
        before.soak,
        look.life,
        look.answer,
        mode=look.mode,
        network=look.network,
        now=look.now,
        counted=counted if unbroken else None,
        rules=rules,
        gap=max(gap, rules.checks_late),
        stands=same_round(before.rounds, look.life, look.answer),
        clock_fault=look.clock_fault,
    )
    overheard = _overheard(before, look)
    rounds = rounds_after(before.rounds, look.life, look.answer, counted)
    spans = _spans(before, look, progress, rounds, counted, rules)
    # A clock that is doubted keeps a node that is ready from passing, so its time is no delay.
    ready = look.answer is not None and look.answer.ready
    doubted = bool(look.clock_fault) and ready
    blind = look.started and (not BLINDING.isdisjoint(spans) or _unseen(look) or doubted)
    return replace(
        before,
        looks=before.looks + 1,
        last=look.at,
        observed=before.observed + (counted if look.started else 0.0),
        blind=before.blind + (counted if blind else 0.0),
        reverted=before.reverted + counted if look.reverted else 0.0,
        down=before.down + counted if look.life is None else 0.0,
        spans=spans,
        soak=soak,
        lacking=lacking,
        answer=look.answer,
        answered_life=look.life if look.answer else None,
        progress=progress,
        rounds=rounds,
        words=look.words or before.words,
        heard=look.ends or before.heard,
        overheard=overheard,
        synced=synced_after(
            before.synced, overheard.words.sync_mode if overheard else "", progress
        ),
    )


def _progress(before: Attention, look: Look, counted: float) -> Progress:
    """Metrics that this look does not give say nothing: neither that it moved nor that not."""
    answer, life = look.answer, look.life
    if answer is None or life is None or answer.kind is not AnswerKind.ANSWERED:
        return replace(before.progress, moved=None)
    if not answer.counters and not answer.heights:
        return replace(before.progress, moved=None)
    now = after(
        before.progress,
        counters=answer.counters,
        heights=answer.heights,
        life=f"{life.pod}/{life.restarts}/{life.started.isoformat() if life.started else ''}",
        at=look.at,
        counted=counted,
    )
    return with_failed(now, before.progress, answer.failed)


def _spans(
    before: Attention,
    look: Look,
    progress: Progress,
    rounds: Rounds,
    counted: float,
    rules: Rules,
) -> dict[Condition, Span]:
    """A condition's time is that between looks at which it held, both of them. What is of the node
    begins anew with another life of it: that one may well do better.
    """
    if not look.judged:
        return {}
    same_life = look.answer is not None and look.life == before.answered_life
    other_life = before.answer is not None and look.life != before.answered_life
    known = {
        condition: span
        for condition, span in before.spans.items()
        if condition in OF_PODS or not other_life
    }
    if not before.looks:
        known = {c: Span(seconds) for c, seconds in before.lasted_for.items()} | known
    alone = next((c for c in (Condition.MOVED_ON, Condition.NO_PEERS) if c in known), None)
    sight = Sight(
        phase=look.phase,
        mode=look.mode,
        network=look.network,
        obstacles=look.obstacles,
        answer=look.answer,
        progress=progress,
        now=look.now,
        rules=rules,
        tip_rose=_rose(before, look) if same_life else None,
        clock_fault=look.clock_fault,
        overheard=_overheard(before, look),
        alone=known[alone].seconds + counted if alone else 0.0,
        moved_on=Condition.MOVED_ON in known,
        first_life=look.first_life,
        stood=rounds.stood,
        stale=look.stale,
    )
    spans: dict[Condition, Span] = {}
    for condition, sentence in holding(sight).items():
        span = known.get(condition)
        if condition is Condition.MOVED_ON and sentence and alone:
            span = known[alone]  # it is found out while the node is without a peer
        if sentence is None:
            spans |= {condition: span} if span else {}
        else:
            seconds = span.seconds + counted if span else 0.0
            spans[condition] = Span(seconds, sentence)
    return spans


def _unseen(look: Look) -> bool:
    """Nobody knows of the pods now, and no node has answered."""
    return look.stale and (look.answer is None or look.answer.kind is not AnswerKind.ANSWERED)


def _overheard(before: Attention, look: Look) -> Overheard | None:
    """Of the life that runs now."""
    overheard = look.overheard or before.overheard
    return overheard if overheard is not None and overheard.life == look.life else None


def _rose(before: Attention, look: Look) -> bool | None:
    """Whether C's newest block is a higher one than at the look before."""
    then = before.answer.tips.get("C") if before.answer else None
    now = look.answer.tips.get("C") if look.answer else None
    return now.height > then.height if then and now else None
