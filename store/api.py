"""StateStore: what the controller asks of shared memory, and what every backend owes it.

The store knows nothing of Kubernetes, registries or phases: targets, builds, runs and Deployments
are strings here, records and transitions are bytes. It is a cache and a lock. The truth of a run is
in its Deployment's record, so a store may be lost; what it must never do is answer wrongly.

Obligations of every backend, checked by one suite (`tests/functional/test_store_contract.py`):

* Every write may be sent twice (a client repeats a command whose reply was lost) and has the same
  effect as once.
* `claim` and `release` are atomic: no two callers see the same claim granted to both. `refill` may
  be done in steps: then nobody may claim by what it writes before the last, and what is lost
  between two of them is noticed.
* Several callers may use one store at once, each knowing a part of the claims, in one epoch.
* What stands at one key and cannot be used concerns that key alone: reading or writing there raises
  `StoreItemUnusable`, and a claim that cannot be read is one that stands.
* A store that is not reached, times out, is full or read-only raises `StoreUnavailable`, within
  the time limit that it was opened with, and never a foreign exception.
* Nothing a backend returns is shared with it: callers may keep and change what they got.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SCHEMA = 1


class StoreError(Exception):
    """The root of what a store raises."""


class StoreUnavailable(StoreError):
    """Not reached, timed out, out of memory, read-only, or still loading: try again later."""


class StoreForgot(StoreError):
    """The store's epoch is not the caller's, or it has granted fewer claims than the caller saw: it
    was emptied or rolled back. Nothing was written; refill, then ask again.
    """


class StoreMisused(StoreError):
    """A URL, password or schema that no waiting will mend; `str()` says what to write instead."""


class StoreItemUnusable(StoreMisused):
    """One key or value, in the store or on its way there, cannot be used; all else can. `str()`
    says which one, and what mends it.
    """


@dataclass(frozen=True)
class Claim:
    """The right of one run to test one build on one target."""

    target: str  # slug
    build: str  # digest
    run: str  # its id; empty: refilled from a record that has forgotten it, or unreadable
    owner: str  # `namespace/name` of the Deployment; empty: unreadable
    # Why it cannot be read, where it stands and what mends it; empty: it can. The build counts as
    # claimed, by nobody knows whom.
    unreadable: str = ""


@dataclass(frozen=True)
class Meta:
    """Which memory this is."""

    schema: int  # layout version of the keys
    epoch: str  # token of the refill that found it empty or rolled back; all its users share it
    grants: int  # claims granted in this epoch; fewer than were seen before: a rollback
    cluster: str  # id of the cluster whose memory it is; empty: whichever comes may adopt it


@dataclass(frozen=True)
class SeenBuild:
    """A build that a target's tag pointed to."""

    build: str  # digest
    at: float  # seconds since 1970, when that was first noted


@dataclass(frozen=True)
class Place:
    """Where a transition stands, without what it says."""

    id: str  # of the transition
    at: float  # seconds since 1970


@dataclass(frozen=True)
class Transition:
    """One line of history."""

    # Unique everywhere. Run id and sequence number alone are not: two targets that start one build
    # in one second have runs of one id.
    id: str
    target: str  # slug; empty: of no target
    at: float  # seconds since 1970
    body: bytes  # compact JSON, at most 64 KiB


class StateStore(ABC):
    """See the module's text for what all methods owe. All may raise `StoreUnavailable`."""

    @property
    def lasts(self) -> bool:
        """Whether it outlives the process that opened it, so that others may use it too."""
        return True

    @abstractmethod
    async def meta(self) -> Meta | None:
        """Which memory this is; None for an empty one. Raises StoreMisused for a newer schema."""

    @abstractmethod
    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        """Adds the claims that are missing, but for targets whose key cannot be used, replaces
        none, and joins: the epoch and the grants that stand are kept. Only where none stands, or
        `instead_of` (which the caller has found rolled back), or where the memory is no cluster's,
        `meta` is written with grants counted from zero: from then on only callers with its epoch
        may claim. Returns the Meta that stands afterwards.
        Raises StoreMisused, having written nothing, for a newer schema or another cluster's memory.
        """

    @abstractmethod
    async def claim(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str | None = None,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        """Grants the claim if the build has none on the target, or if its claim is `wanted.owner`'s
        and for the run `instead_of`; else leaves it. Also notes a granted claim as pending, until
        `settle` or `release`; a later grant to the same owner takes the earlier one's place there.
        beside: the run of that earlier one by which the caller has decided, empty for none; where
        another one is pending nothing is granted, and that one is returned. None: whichever it is.

        Returns the claim that now stands (the caller's if it equals `wanted`; the same owner
        asking again finds its earlier one) and the number of grants, counted per grant and not per
        call: the same `wanted` sent twice is one grant. Raises StoreForgot, having written
        nothing, if the epoch differs or the grants are fewer than `seen_grants`.
        """

    @abstractmethod
    async def retake(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        """As `claim`, but replaces the run `instead_of` whoever owns it, for a person asked so."""

    @abstractmethod
    async def claimed(self, target: str, build: str) -> Claim | None:
        """Who may test, or has tested, this build on this target."""

    @abstractmethod
    async def pending(self, owner: str) -> Claim | None:
        """The owner's claim whose run is not known to have come to be; at most one."""

    @abstractmethod
    async def settle(self, claim: Claim) -> None:
        """The claim's run has come to be: it is pending no more. Nothing if it was not."""

    @abstractmethod
    async def release(self, claim: Claim) -> None:
        """Gives the claim back, if it stands exactly so; it is pending no more either way."""

    @abstractmethod
    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        """Replaces the readable copy of a Deployment's record. Field `seq` is a number: a copy with
        a smaller `seq` than the one that stands changes nothing.
        """

    @abstractmethod
    async def mirrored(self, deployment: str) -> dict[str, str]:
        """The copy, or an empty dict."""

    @abstractmethod
    async def mirrors(self) -> list[str]:
        """The Deployments (`namespace/name`) that have a copy, sorted."""

    @abstractmethod
    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        """Adds or replaces these fields of what is known about a run; keeps the others. A run of
        which nothing was written for 400 days is forgotten.
        """

    @abstractmethod
    async def run(self, target: str, run: str) -> dict[str, str]:
        """What is known about a run, or an empty dict."""

    @abstractmethod
    async def runs(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        """As `run`, for many at once and in their order; at most 200: more is a StoreMisused. One
        that cannot be read is an empty dict, and `unusable` tells where it stands.
        only: the fields that are asked for, which is quicker; none: all.
        """

    @abstractmethod
    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        """The target's tag pointed to this build at this time, in seconds since 1970; the first
        time stands. Each target keeps its newest 1000.
        """

    @abstractmethod
    async def seen_builds(self, target: str) -> list[SeenBuild]:
        """The builds that the target's tag pointed to, newest first."""

    @abstractmethod
    async def claims_of(self, target: str) -> list[Claim]:
        """All claims of the target, sorted by run and build: the builds that were tested on it, or
        are. A claim that was refilled from a record which has forgotten its run has an empty one.
        """

    @abstractmethod
    async def append(self, transitions: Sequence[Transition]) -> None:
        """Adds to the history of each target and of all; an id that is there is not added again,
        even if it comes with something else. Each history keeps its newest 20 000.
        """

    @abstractmethod
    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        """Newest first; of one target, or of all; only those earlier than `before` if given."""

    @abstractmethod
    async def places(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Place]:
        """As `history`, without the bodies, for who can tell by an id whether he wants more. One
        whose body is gone may be among them.
        """

    @abstractmethod
    async def transitions(self, target: str | None, places: Sequence[Place]) -> list[Transition]:
        """Those that stand at these places of the history of a target, or of all, in their order;
        what is gone since is left out.
        """

    @abstractmethod
    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        """Replaces what is known about a tag."""

    @abstractmethod
    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        """What is known about a tag, or an empty dict."""

    @abstractmethod
    async def put_build(self, index: str, platform: str, build: str) -> None:
        """Keeps for ever which platform manifest an index holds (content-addressed)."""

    @abstractmethod
    async def build(self, index: str, platform: str) -> str | None:
        """The platform manifest in an index, if known."""

    @abstractmethod
    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        """Keeps evidence of a run for that long; replaces what was kept, all or nothing. At most
        8 MiB together: more is a StoreMisused. target: run ids are unique on a target only.
        """

    @abstractmethod
    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        """The evidence of a run, or an empty dict."""

    @abstractmethod
    async def has_evidence(self, target: str, run: str) -> bool:
        """Whether there is any, without fetching it: it may be megabytes."""

    async def evidence_names(self, target: str, run: str) -> list[str]:
        """The names of its parts, sorted; a backend that can does not fetch them for it."""
        return sorted(await self.evidence(target, run))

    async def inspect(self) -> list[str]:
        """Warnings about how the store is set up, a sentence each, for a person to mend."""
        return []

    async def unusable(self) -> list[str]:
        """What stands in the store and cannot be used, as far as it can be looked for: a sentence
        each, with where it is and what mends it.
        """
        return []

    @abstractmethod
    async def close(self) -> None:
        """Ends connections; the store is not used afterwards."""
