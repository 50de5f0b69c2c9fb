"""One call of every method of a StateStore, by its name: for tests that ask something of all."""

import inspect
from collections.abc import Awaitable, Callable

from store import Claim, Meta, Place, StateStore, Transition

TARGET = "fuji-c-chain-state-sync"
BUILD = "sha256:" + "1a" * 32
ANNA = Claim(TARGET, BUILD, "20261123t060000z-1a1a1a1a", "bootstrap/anna")
BERT = Claim(TARGET, BUILD, "20261123t060001z-1a1a1a1a", "bootstrap/bert")
META = Meta(schema=1, epoch="first", grants=0, cluster="c1")

Call = Callable[[StateStore], Awaitable[object]]

READS: dict[str, Call] = {
    "meta": lambda store: store.meta(),
    "claimed": lambda store: store.claimed(TARGET, BUILD),
    "claims_of": lambda store: store.claims_of(TARGET),
    "pending": lambda store: store.pending(ANNA.owner),
    "mirrored": lambda store: store.mirrored("bootstrap/anna"),
    "mirrors": lambda store: store.mirrors(),
    "run": lambda store: store.run(TARGET, "r"),
    "runs": lambda store: store.runs(TARGET, ["r", "s"], only=["phase"]),
    "seen_builds": lambda store: store.seen_builds(TARGET),
    "history": lambda store: store.history(),
    "places": lambda store: store.places(),
    "transitions": lambda store: store.transitions(TARGET, [Place("r.1", 1.0)]),
    "tag": lambda store: store.tag("host/a", "latest"),
    "build": lambda store: store.build("sha256:index", "linux/amd64"),
    "evidence": lambda store: store.evidence(TARGET, "r"),
    "evidence_names": lambda store: store.evidence_names(TARGET, "r"),
    "has_evidence": lambda store: store.has_evidence(TARGET, "r"),
    "inspect": lambda store: store.inspect(),
    "unusable": lambda store: store.unusable(),
}

# In an order in which each changes something, on a store that was empty.
WRITES: dict[str, Call] = {
    "refill": lambda store: store.refill(META, []),
    "claim": lambda store: store.claim(ANNA, epoch="first", seen_grants=0),
    "settle": lambda store: store.settle(ANNA),
    "retake": lambda store: store.retake(BERT, epoch="first", seen_grants=0, instead_of=ANNA.run),
    "release": lambda store: store.release(BERT),
    "mirror": lambda store: store.mirror("bootstrap/anna", {"seq": "1"}),
    "put_run": lambda store: store.put_run(TARGET, "r", {"phase": "Passed"}),
    "note_seen": lambda store: store.note_seen(TARGET, BUILD, at=1.0),
    "append": lambda store: store.append([Transition("r.1", TARGET, 1.0, b"{}")]),
    "put_tag": lambda store: store.put_tag("host/a", "latest", {"digest": "d"}),
    "put_build": lambda store: store.put_build("sha256:index", "linux/amd64", BUILD),
    "put_evidence": lambda store: store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=60),
}

CALLS = READS | WRITES


def methods() -> set[str]:
    """What a StateStore can be asked, but for its end."""
    found = inspect.getmembers(StateStore, inspect.iscoroutinefunction)
    return {name for name, _ in found if not name.startswith("_")} - {"close"}


async def everything(store: StateStore) -> dict[str, object]:
    """What the store answers to every question."""
    return {name: await ask(store) for name, ask in READS.items()}
