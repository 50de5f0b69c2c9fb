"""The rounds in which a node makes its checks, as looks see them go on or stand.

A check keeps its result until the next round, and a round waits for every check: where one chain is
locked, by a batch of blocks that executes or for ever, the whole document stands, well or not, and
is old news [scene hang]. The times of checks are the node's own; they are held against each other,
never against our clock.
"""

from dataclasses import dataclass, replace

from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.pods.run_pods import Life


@dataclass(frozen=True)
class Rounds:
    """Of one life of the node. Times of checks are seconds since 1970 by the node's clock."""

    life: Life | None = None  # whose they are; None before the first answer
    newest: float | None = None  # of the last document: when its newest check was made
    oldest: float | None = None  # and its oldest; None where it did not tell
    stood: float = 0.0  # observed seconds for which no check has been made anew


def rounds_after(
    before: Rounds, life: Life | None, answer: NodeAnswer | None, counted: float
) -> Rounds:
    """After one more look. counted: observed seconds since the one before. A look without an answer
    tells nothing of them; another life begins anew. A clock of the node's that was set is no
    standstill, in whichever direction.
    """
    if life is None or answer is None or answer.kind is not AnswerKind.ANSWERED:
        return before
    now = Rounds(life, answer.checked, answer.checked_all)
    if before.life != life or now.newest is None or now.newest != before.newest:
        return now
    return replace(now, stood=before.stood + counted)


def same_round(before: Rounds, life: Life | None, answer: NodeAnswer | None) -> bool:
    """Whether some check in the answer is still that of the last one, in this life."""
    if life is None or answer is None:
        return False
    return before.life == life and before.oldest == answer.checked_all
