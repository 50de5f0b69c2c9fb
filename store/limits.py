"""What every backend accepts and keeps: one set of bounds, so that none can be told from another.

Whoever breaks one gets a StoreItemUnusable that says which: no other call is the worse for it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from store.api import Claim, Meta, StoreItemUnusable, StoreMisused, Transition

# Transitions kept for all targets together, and again for each. At five a run and a hundred runs a
# day this is forty days of all, and years of one target; at 500 bytes each it is 10 MB of memory.
HISTORY_BOUND = 20_000

BODY_BYTES = 64 * 1024  # of a transition: see api.Transition
EVIDENCE_BYTES = 8 * 1024 * 1024  # of a run: see api.StateStore.put_evidence

# Builds that a target remembers to have seen: nearly three years of one merge a day, in 150 KB.
SEEN_BOUND = 1000

# Runs that one reading asks for. At a few KB each it is a megabyte, which the time limit of a call
# allows for; a comparison looks at some dozens.
RUNS_AT_ONCE = 200

# Seconds after its last write for which a run is known. More than a year, so that a run can be
# compared with those of a year ago; an end, for at a hundred runs a day and 4 KB each even these
# are 160 MB, and nothing else would ever remove one. History and claims outlive it.
RUN_KEEP_SECONDS = 400 * 86400.0

# Names become parts of keys: a colon separates parts, and a space or control character would make
# a key that nobody can type. A dash alone stands for no target in the keys of Redis.
_TARGET = re.compile(r"(?!-$)[^\s:\x00-\x1f\x7f]{1,200}")


def check_target(target: str) -> str:
    """The target, or StoreItemUnusable if it is not a slug."""
    if not _TARGET.fullmatch(target):
        raise StoreItemUnusable(
            "a target is a slug of 1 to 200 characters without colons and spaces, such as"
            f" fuji-c-chain-state-sync, not {target[:80]!r}"
        )
    return target


def check_claims(claims: Iterable[Claim]) -> list[Claim]:
    checked = list(claims)
    for target in {claim.target for claim in checked}:
        check_target(target)
    return checked


def check_cluster(standing: Meta | None, cluster: str) -> None:
    """StoreMisused if the memory that stands is another cluster's."""
    if standing is not None and standing.cluster not in ("", cluster):
        raise another_cluster(standing.cluster)


def another_cluster(whose: str) -> StoreMisused:
    return StoreMisused(
        f"the store is the memory of another cluster ({whose}): give this one its own"
        " --store-prefix, or HDEL <prefix>:meta cluster to adopt it"
    )


def check_transitions(transitions: Sequence[Transition]) -> Sequence[Transition]:
    for transition in transitions:
        if transition.target:
            check_target(transition.target)
        if len(transition.body) > BODY_BYTES:
            raise StoreItemUnusable(
                f"the body of transition {transition.id[:80]!r} has {len(transition.body)} bytes,"
                f" more than {BODY_BYTES}"
            )
        if not math.isfinite(transition.at):
            raise StoreItemUnusable(f"transition {transition.id[:80]!r} has no time")
    return transitions


def check_evidence(run: str, parts: Mapping[str, bytes]) -> Mapping[str, bytes]:
    size = sum(len(part) for part in parts.values())
    if size > EVIDENCE_BYTES:
        raise StoreItemUnusable(
            f"the evidence of run {run[:80]!r} has {size} bytes, more than {EVIDENCE_BYTES}"
        )
    return parts


def check_time(at: float, what: str) -> float:
    if not math.isfinite(at):
        raise StoreItemUnusable(f"{what[:80]!r} has no time")
    return at


def check_runs(runs: Sequence[str]) -> Sequence[str]:
    if len(runs) > RUNS_AT_ONCE:
        raise StoreItemUnusable(
            f"{len(runs)} runs were asked for at once, more than {RUNS_AT_ONCE}"
        )
    return runs


def sequence(fields: Mapping[str, str]) -> int:
    """The number in field `seq`, which orders the copies of a record."""
    try:
        return int(fields["seq"])
    except (KeyError, ValueError):
        raise StoreItemUnusable("the copy of a record needs a field seq that is a number") from None
