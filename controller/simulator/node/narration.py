"""What a node writes to its log on its way, in avalanchego's words [112, 116, scene full]."""

from collections.abc import Iterable

from controller.domain.target import SyncMode
from controller.simulator.node import start_words
from controller.simulator.node.chain_story import ChainStory
from controller.simulator.node.checks import BEACON
from controller.simulator.node.health import Turn
from controller.simulator.node.log import NodeLog
from controller.simulator.node.panic_words import PANIC, stack, trace
from controller.simulator.node.settings import Version
from controller.simulator.node.shutdown_words import Shutdown
from controller.simulator.node.state import NodeState

_CAUGHT = "runtime error: invalid memory address or nil pointer dereference"
_ORDER = ("C", "P", "X")  # in which chains tell that consensus has begun


class Narration:
    """Writes lines about a state; the numbers are those of the moment."""

    def __init__(self, log: NodeLog, state: NodeState, version: Version) -> None:
        self._log = log
        self._state = state
        self._version = version
        self._stories: dict[str, ChainStory] = {}
        self._in_consensus = False
        self._refusals = 0

    @property
    def known(self) -> tuple[str, ...]:
        """Chains that have been told of."""
        return tuple(self._stories)

    def starting(self, last: str = "") -> None:
        """last: message of the line to stop after."""
        start_words.starting(self._log, self._state.settings, self._version, last)

    def created(self, chain: str) -> None:
        start_words.creating(self._log, chain)
        start_words.created(self._log, chain, self._version)
        story = self._stories[chain] = ChainStory(chain, self._log, self._state)
        if chain == "C" and self._state.settings.mode is SyncMode.STATE:
            story.begin_state_sync()
        story.begin()

    def not_created(self, config: str) -> None:
        """C, whose configuration is no JSON [scene c-config-not-json]."""
        start_words.creating(self._log, "C")
        inner = "initializing chain: failed to initialize inner VM: failed to get config: failed to"
        why = "invalid character 's' looking for beginning of object key string"
        error = (
            "error while creating new snowman vm initializing pre-transition VM:"
            f" {inner} unmarshal config {config}: {why}"
        )
        fields = start_words.identity("C")
        told = "error creating required chain"
        self._log.write("FATAL", "chains/manager.go:396", told, *fields, ("error", error))
        self._go_down()

    def look(self) -> None:
        """Tells what has come to its end since the last look."""
        for story in self._stories.values():
            story.look()
        for _ in range(self._state.refusals - self._refusals):
            self._refused()
        self._refusals = self._state.refusals
        if self._state.bootstrapped and not self._in_consensus:
            self._in_consensus = True
            for chain in _ORDER:
                if chain in self._stories:
                    self._stories[chain].consensus()

    def progress(self) -> None:
        """How far each chain is that is still about it."""
        self.look()
        for story in self._stories.values():
            story.progress()

    def turned(self, turns: Iterable[Turn]) -> None:
        """Checks that began to pass or to fail."""
        for turn in turns:
            fields = [("name", turn.worker), ("name", turn.check.name), ("tags", [turn.check.tag])]
            if turn.error is None:
                self._log.write("INFO", "health/worker.go:261", "check started passing", *fields)
            else:
                fields.append(("error", turn.error))
                self._log.write("WARN", "health/worker.go:252", "check started failing", *fields)

    def crashing(self, error: str) -> None:
        """The first fatal line is the cause; tens of lines about the shutdown follow it [116]."""
        chain = self._last_made()
        self._log.write(
            "FATAL",
            "handler/handler.go:337",
            "shutting down chain",
            ("reason", "received an unexpected error"),
            ("error", error),
            chain=chain,
        )
        shutdown = self.shutdown()
        shutdown.of_chain(chain, "router/chain_router.go:739")
        shutdown.begin(1)
        shutdown.rest()

    def low_on_disk(self) -> None:
        self._log.write(
            "FATAL",
            "node/node.go:1481",
            "low on disk space. Shutting down...",
            ("availableDiskBytes", 2 * 10**10),
            ("remainingDiskPercentage", 2),
            ("requiredDiskPercentage", 3),
        )
        self._go_down()

    def panicking(self) -> None:
        """Nothing is shut down; Go's own text is the last."""
        fields = (("reason", PANIC), ("from", stack()))
        self._log.write(
            "FATAL", "logging/log.go:139", "panicking", *fields, chain=self._last_made()
        )
        self._log.raw(trace())

    def caught(self) -> None:
        """A panic that was caught [117]."""
        self._log.write("FATAL", "logging/log.go:139", "panicking", ("reason", _CAUGHT))
        self._log.raw(f"caught panic {_CAUGHT}")

    def shutdown(self) -> Shutdown:
        return Shutdown(self._log, self._state, list(self._stories))

    def _last_made(self) -> str:
        """The chain that ends badly: C, where there is one. It is made for that, should P not be
        done: a plan's end comes at its time.
        """
        chains = self._state.settings.chains
        for chain in chains:
            if chain not in self._stories:
                self.created(chain)
        return chains[-1]

    def _go_down(self) -> None:
        shutdown = self.shutdown()
        shutdown.begin(1)
        shutdown.rest()

    def _refused(self) -> None:
        """One attempt of a peer of a newer version [scene moved-on]."""
        self._log.write(
            "INFO",
            "peer/peer.go:872",
            "peer attempting to connect with newer version. You may want to update your client",
            ("nodeID", BEACON),
            ("myVersion", f"avalanchego/{self._version.version}"),
            ("peerVersion", self._state.plan.moved_on),
        )
