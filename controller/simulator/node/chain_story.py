"""What is told of one chain's way from its making to consensus [scene full, state-sync]."""

from controller.simulator.node.log import Field, NodeLog, Took
from controller.simulator.node.progress import BLOCKS, LEAFS, SUMMARY_LAG
from controller.simulator.node.state import NodeState

_ENGINE = "github.com/ava-labs/avalanchego/graft/evm/sync/engine"
_SUMMARY = "mK3F6osfhyW3bdD6nWtQfdpgYsZA2Kuk3GFg3trXyULCvz54w"
_BLOCK = "zybUjc1FwDmqYTdJUwXWnrQT9KTs9F91RMJAJ78mihZHR7Q4w"
_SYNCERS = ("Atomic State Syncer", "Block Syncer", "Code Syncer", "EVM State Syncer")
_COMPACTED = 1000  # blocks; fewer are executed without ado
_BOOTSTRAPPER, _STORAGE = "bootstrap/bootstrapper.go", "bootstrap/storage.go"


class ChainStory:
    """Each thing is told once, when it is so."""

    def __init__(self, chain: str, log: NodeLog, state: NodeState) -> None:
        self.chain = chain
        self._log = log
        self._state = state
        self._told: set[str] = set()
        self._begun = state.age

    def begin_state_sync(self) -> None:
        """C is told to sync its state: whether it does is said once."""
        mode = self._state.plan.summary
        self._say("syncer/state_syncer.go:115", "starting state sync")
        self._say("syncer/state_syncer.go:471", "starting state sync")
        if mode != "Skipped":
            self._log.vm(f"{_ENGINE}/client.go:282", "state sync started", f"mode={mode}")
        self._say(
            "syncer/state_syncer.go:393",
            "accepted state summary",
            ("summaryID", _SUMMARY),
            ("syncMode", mode),
            ("numTotalSummaries", 1),
        )
        if mode != "Skipped":
            for name in _SYNCERS:
                self._log.vm(f"{_ENGINE}/registry.go:90", "starting syncer", f'name="{name}"')

    def begin(self) -> None:
        """Its bootstrap, which may have to wait for its state."""
        if self._state_is_synced() and self._first("starting"):
            height = self._state.numbers(self.chain).height
            fields = ("lastAcceptedID", _BLOCK), ("lastAcceptedHeight", height)
            self._say(f"{_BOOTSTRAPPER}:194", "starting bootstrapper", *fields)

    def look(self) -> None:
        """Tells what has come about."""
        self.begin()
        if "starting" not in self._told:
            return
        now = self._state.numbers(self.chain)
        if self._state.plan.moved_on or (self.chain == "C" and self._state.plan.cannot_parse):
            return
        if self._first("fetching"):
            counts = ("numKnownBlocks", 0), ("numAcceptedBlocks", 1), ("numMissingBlocks", 1)
            self._say(f"{_BOOTSTRAPPER}:399", "starting to fetch blocks", *counts)
        if now.fetched >= self._blocks and self._first("fetched"):
            self._fetched()
        if now.accepted >= self._blocks and self._first("executed"):
            self._executed()

    def progress(self) -> None:
        """Where it is, while it fetches or executes; a chain that hangs says nothing."""
        if self.chain == "C" and self._state.locked:
            return
        now = self._state.numbers(self.chain)
        if "fetching" in self._told and "fetched" not in self._told:
            counts = ("numFetchedBlocks", now.fetched), ("numTotalBlocks", self._blocks)
            self._say(f"{_BOOTSTRAPPER}:642", "fetching blocks", *counts, ("eta", Took(60)))
        elif "fetched" in self._told and "executed" not in self._told and now.accepted:
            counts = ("numExecuted", now.accepted), ("numToExecute", self._blocks)
            done = round(100 * now.accepted / self._blocks, 2)
            more = ("eta", Took(60)), ("pctComplete", done)
            self._say(f"{_STORAGE}:252", "executing blocks", *counts, *more)

    def consensus(self) -> None:
        """The bootstrap of the whole subnet is over."""
        height = self._state.numbers(self.chain).height
        fields = ("lastAcceptedID", _BLOCK), ("lastAcceptedHeight", height)
        self._say("snowman/engine.go:513", "starting consensus", *fields)

    @property
    def _blocks(self) -> int:
        """That it has to fetch and to execute in all."""
        state_synced = self.chain == "C" and self._state.syncs_state
        return SUMMARY_LAG if state_synced else BLOCKS[self.chain]

    def _state_is_synced(self) -> bool:
        if self.chain != "C" or not self._state.syncs_state:
            return True
        done = self._state.numbers("C").leafs >= LEAFS and not self._state.plan.sync_stuck
        if done and self._first("synced"):
            for name in _SYNCERS:
                self._log.vm(
                    f"{_ENGINE}/registry.go:100", "completed successfully", f'name="{name}"'
                )
            self._log.vm(
                f"{_ENGINE}/registry.go:70", "all syncers completed successfully", "count=4"
            )
            told = "state sync completed, notifying engine"
            self._log.vm(f"{_ENGINE}/client.go:278", told, "err=<nil>")
        return done

    def _fetched(self) -> None:
        if self._blocks >= _COMPACTED:
            self._say(f"{_STORAGE}:138", "compacting database before executing blocks...")
        self._say(f"{_STORAGE}:195", "executing blocks", ("numToExecute", self._blocks))

    def _executed(self) -> None:
        if self._blocks >= _COMPACTED:
            self._say(f"{_STORAGE}:178", "compacting database after executing blocks...")
        self._say(
            f"{_STORAGE}:187",
            "executed blocks",
            ("numExecuted", self._blocks),
            ("numToExecute", self._blocks),
            ("halted", False),
            ("duration", Took(self._state.age - self._begun)),
        )
        if not self._state.bootstrapped:
            told = "waiting for the remaining chains in this subnet to finish syncing"
            self._say(f"{_BOOTSTRAPPER}:740", told)

    def _first(self, what: str) -> bool:
        """Whether it is the first time; from then on it is not."""
        if what in self._told:
            return False
        self._told.add(what)
        return True

    def _say(self, caller: str, message: str, *fields: Field) -> None:
        self._log.write("INFO", caller, message, *fields, chain=self.chain)
