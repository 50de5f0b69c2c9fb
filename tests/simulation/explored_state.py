"""A world small enough to be explored whole, in which the real machine decides.

Two Deployments of one target, one volume each; one or two active controllers that may crash between
any two effects, or two users of the store, each of which sees one of the Deployments alone; patches
that land late, are refused, or whose reply is lost; a store that may forget; a person or Argo CD
that puts the image back or makes the Deployment again; a tag that moves; a node that ends. The
controller may live in the pod that it looks after, and its store with it.
Time is abstract: what waits for a delay may happen at any moment, and the 60 seconds of `--settle`
are over when every patch that was then on its way has landed.

States are tuples, so that equal worlds are one; all that follows from a state is a function of it.
"""

from typing import NamedTuple

from controller.domain.decide.observation import (
    Effect,
)
from tests.machine_objects import (
    bare,
)

NAMES = ("one", "two")
KEYS = tuple(f"bootstrap/{name}" for name in NAMES)


class Violation(AssertionError):
    """An invariant does not hold; the text says which, and where."""


class Dep(NamedTuple):
    """A Deployment, with what is written on it; None where that is not there."""

    uid: int
    image: str  # of node and init container, which are only ever written together
    run: str | None  # id in the pod template
    record: str | None
    phase: str | None
    message: str | None


class PodState(NamedTuple):
    """The one pod of a Deployment."""

    uid: int  # of the Deployment
    image: str
    real: str  # letter of the build that runs in it
    run: str | None  # id that it carries
    data: str | None  # the init container's word; None before it has said one
    ends: int = 0  # how often its node has ended, each time at the same block

    @property
    def up(self) -> bool:
        return self.data in ("fresh", "resumed")


Directory = tuple[str, str, bool]  # run, letter of the build that began it, bootstrapped
Flight = tuple[int, int]  # Deployment, number of the write
ClaimState = tuple[str, str, int]  # build, run, owner


class Store(NamedTuple):
    """What of the store is explored: all that a decision can come to depend on."""

    claims: frozenset[ClaimState] = frozenset()
    pending: tuple[ClaimState | None, ...] = (None, None)  # of each Deployment
    mirror: tuple[str | None, ...] = (None, None)  # text of each record
    epoch: bool = False  # one stands; False after a loss, until somebody has refilled it


class Control(NamedTuple):
    """A controller."""

    busy: int | None = None  # the Deployment that it has in hand
    sent: Flight | None = None  # the patch that it waits for
    effects: tuple[Effect, ...] = ()  # what it still does after that
    # Patches that may still land and began before its start or its last refill
    waits: frozenset[Flight] = frozenset()
    opened: bool = False  # it has opened the store since its start
    joined: bool = False  # the epoch that it knows is the one that stands
    # One of several users: it has refilled since a loss, and will once more when what waits landed
    owes: bool = False
    # Deployments whose pin the API server has refused, and that are not tried again yet
    refused: frozenset[int] = frozenset()


class Budget(NamedTuple):
    """How many disturbances of each kind are left."""

    flushes: int = 0
    reverts: int = 0
    recreations: int = 0
    tag_moves: int = 0
    crashes: int = 0
    lost_replies: int = 0
    ends: int = 0
    refusals: int = 0


class State(NamedTuple):
    """The whole world at one moment, and what is remembered of its past."""

    tag: str  # letter of the build behind the one that is followed
    deps: tuple[Dep, Dep]
    pods: tuple[PodState | None, ...]
    volumes: tuple[frozenset[Directory], ...]
    store: Store
    clock: int  # seconds that have passed, one for each new claim
    controls: tuple[Control, ...]
    flights: frozenset[Flight]  # patches that have not landed yet
    budget: Budget
    started: frozenset[tuple[str, str, int]] = frozenset()  # (build, run, Deployment) that ever ran
    void: frozenset[tuple[str, int]] = frozenset()  # (run, Deployment) whose data another touched
    # (id, phase, reason) of every transition that people were given
    told: frozenset[tuple[str, str, str]] = frozenset()
    again: bool = False  # a Deployment was ever made again
    kept: int = 2  # Deployments that are looked after; one alone can be disturbed more often
    # The one controller lives in the pod of the first Deployment, its store with it: both end with
    # the pod, and a crash takes the store with it
    inside: bool = False
    # Two users of the store: each controller sees its own Deployment and no other
    apart: bool = False

    def watched(self, c: int) -> tuple[int, ...]:
        """The Deployments that a controller sees."""
        return (c,) if self.apart else tuple(range(self.kept))


Step = tuple[str, object]


def begin(
    controllers: int, budget: Budget, *, kept: int = 2, inside: bool = False, apart: bool = False
) -> State:
    fresh, active = Dep(1, bare(), None, None, None, None), Control(opened=True, joined=True)
    return State(
        tag="a",
        deps=(fresh, fresh),
        pods=(None, None),
        volumes=(frozenset(), frozenset()),
        store=Store(epoch=True),
        clock=0,
        controls=(active, active if apart else Control())[:controllers],
        flights=frozenset(),
        budget=budget,
        kept=kept,
        inside=inside,
        apart=apart,
    )


def put(items: tuple, index: int, item: object) -> tuple:  # type: ignore[type-arg]
    return (*items[:index], item, *items[index + 1 :])
