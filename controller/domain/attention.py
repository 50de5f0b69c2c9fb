"""What has been observed of an open run since this controller looks at it, and for how long.

Durations that lead to a verdict count observed time only (I10): the time between two looks that are
close enough together. What lies in a gap is not counted, and a gap begins the soak anew (I3).
"""

from dataclasses import dataclass, replace

from controller.domain.answer import AnswerKind, NodeAnswer
from controller.domain.podview import Life

# Checks of /ext/health that say nothing against the build: a volume that fills up is the volume's
# owner's trouble, and a scheduled upgrade that an old build lacks is not its bootstrap's [90, 91].
TOLERATED_CHECKS = frozenset({"diskspace", "futureupgrade"})


@dataclass(frozen=True)
class Soak:
    """Observed healthy time of one life of the node. seconds: so far. looks: how many healthy
    answers it rests on.
    """

    life: Life
    seconds: float = 0.0
    looks: int = 1


@dataclass(frozen=True)
class Look:
    """One look at an open run. at: monotonic seconds. life: of the node now; answer: what it said,
    and None where it was not asked. started: whether the time since the last look counts: the node
    has started in this run, and the manifest lets it pass.
    """

    at: float
    life: Life | None = None
    answer: NodeAnswer | None = None
    started: bool = False
    pulling: bool = False
    reverted: bool = False


@dataclass(frozen=True)
class Attention:
    """run: id. looks: since this controller began to look. last: monotonic seconds of the last.
    observed: seconds since the node first started, with what earlier controllers observed.
    pulling, reverted: observed seconds for which that has been so without a break. answer: the
    last, and answered_life: whose it was. gaps: how often observation was interrupted.
    """

    run: str
    looks: int = 0
    last: float = 0.0
    observed: float = 0.0
    pulling: float = 0.0
    reverted: float = 0.0
    soak: Soak | None = None
    answer: NodeAnswer | None = None
    answered_life: Life | None = None
    gaps: int = 0

    @property
    def first_look(self) -> bool:
        """No verdict by time is spoken on it (I10)."""
        return self.looks <= 1

    def ready(self, life: Life | None) -> bool:
        """Whether this very life has said that it has bootstrapped."""
        return bool(
            life is not None and self.answer and self.answer.ready and self.answered_life == life
        )


def sound(answer: NodeAnswer | None) -> bool:
    """Bootstrapped, and no check fails that speaks against the build."""
    return (
        answer is not None
        and answer.kind is AnswerKind.ANSWERED
        and answer.ready
        and set(answer.failing) <= TOLERATED_CHECKS
        and (answer.healthy or bool(answer.failing))
    )


def attend(before: Attention, look: Look, gap: float) -> Attention:
    """What is known after one more look. gap: seconds between looks that are no observation."""
    elapsed = look.at - before.last if before.looks else 0.0
    unbroken = bool(before.looks) and elapsed <= gap
    counted = elapsed if unbroken else 0.0
    return replace(
        before,
        looks=before.looks + 1,
        last=look.at,
        observed=before.observed + (counted if look.started else 0.0),
        pulling=before.pulling + counted if look.pulling else 0.0,
        reverted=before.reverted + counted if look.reverted else 0.0,
        soak=_soak(before, look, counted if unbroken else None),
        answer=look.answer,
        answered_life=look.life if look.answer else None,
        gaps=before.gaps + (1 if before.looks and not unbroken else 0),
    )


def _soak(before: Attention, look: Look, counted: float | None) -> Soak | None:
    """Another life, an unsound answer, a look without an answer or a gap begins it anew."""
    if look.life is None or not sound(look.answer):
        return None
    soak = before.soak
    if soak is None or counted is None or soak.life != look.life:
        return Soak(look.life)
    return Soak(look.life, soak.seconds + counted, soak.looks + 1)
