"""Which builds a store knows of on a target, and which run was their last: all that it tells
without being asked for the runs.
"""

from dataclasses import dataclass

from controller.domain.run import Phase
from store.api import Claim, StateStore

AT_ONCE = 200  # runs that a store tells of in one answer


@dataclass(frozen=True)
class Trace:
    """What a store knows of one build on one target."""

    seen: float | None = None  # seconds since 1970, when its tag first pointed to it; None: never
    claim: Claim | None = None  # of its last run; None: not tested


@dataclass(frozen=True)
class Covered:
    """How many builds of one target."""

    # Of the seen: those whose run passed or failed, or is forgotten. Not those of runs that are
    # open, are still to begin, or were aborted.
    tested: int
    seen: int  # that its tag has pointed to


async def traces_of(store: StateStore, target: str) -> dict[str, Trace]:
    """By build. Two calls, however many there are. Raises StoreUnavailable and StoreMisused."""
    seen = {each.build: each.at for each in await store.seen_builds(target)}
    claims = {claim.build: claim for claim in await store.claims_of(target)}
    return {build: Trace(seen.get(build), claims.get(build)) for build in {**seen, **claims}}


async def coverage_of(store: StateStore, target: str) -> Covered:
    """A few calls, and one for each Deployment that claimed a build of whose run nothing is known.
    Raises StoreUnavailable and StoreMisused.
    """
    seen = [trace for trace in (await traces_of(store, target)).values() if trace.seen is not None]
    claims = [trace.claim for trace in seen if trace.claim is not None]
    phases: list[str] = []
    for at in range(0, len(claims), AT_ONCE):
        runs = [claim.run for claim in claims[at : at + AT_ONCE]]
        known = await store.runs(target, runs, only=["phase"])
        phases += [fields.get("phase", "") for fields in known]
    told = list(zip(claims, phases, strict=True))
    unknown = dict.fromkeys(claim.owner for claim, phase in told if claim.run and not phase)
    pending = {owner: await store.pending(owner) for owner in unknown}
    tested = sum(
        phase in (Phase.PASSED, Phase.FAILED)
        if phase
        else not claim.run or pending[claim.owner] != claim
        for claim, phase in told
    )
    return Covered(tested, len(seen))
