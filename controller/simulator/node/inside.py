"""The inside of a node process: its state, its checks and its log, and how they move together."""

from controller.base.clock import Clock
from controller.simulator.node import start_words
from controller.simulator.node.checks import chain_check, checks_of
from controller.simulator.node.health import Health, shutting_down
from controller.simulator.node.log import NodeLog
from controller.simulator.node.narration import Narration
from controller.simulator.node.settings import Version
from controller.simulator.node.shutdown_words import Shutdown
from controller.simulator.node.state import NodeState


class Inside:
    """Moves when it is told to; has no task of its own."""

    def __init__(self, state: NodeState, log: NodeLog, version: Version, clock: Clock) -> None:
        self.state = state
        self.log = log
        self.health = Health(checks_of(state))
        self.tells = Narration(log, state, version)
        self.doomed = False  # C could not be made: the node has gone through its shutdown
        self._clock = clock
        self._seen: float | None = None

    def begin(self, *, clean: bool) -> None:
        """The database is open. clean: its last user closed it."""
        self.state.born = self._clock.now().timestamp()
        start_words.opened(self.log, clean=clean)

    def serve(self, port: int) -> None:
        """From now on it works and answers; no work was done before."""
        self._seen = self._clock.monotonic()
        self.state.starting = True
        self.tells.turned(self.health.begin(self._clock.now()))
        self.state.starting = False
        self._make_chains()
        start_words.listening(self.log, self.state.settings, port)

    def advance(self) -> None:
        """To the present."""
        if self._seen is None:
            return
        now = self._clock.monotonic()
        self.state.advance(now - self._seen, self._clock.now())
        self._seen = now
        self._make_chains()
        if not self.doomed:
            self.tells.look()

    def evaluate(self) -> None:
        """Runs the health checks now."""
        self.advance()
        if self.doomed:
            return
        held = "C" if self.state.locked else ""
        self.tells.turned(self.health.evaluate(self._clock.now(), held))

    def begin_shutdown(self) -> Shutdown:
        """A check tells of it from the next run on; readiness stays what it was."""
        self.advance()
        self.health.add(shutting_down())
        shutdown = self.tells.shutdown()
        shutdown.begin(0)
        return shutdown

    def _make_chains(self) -> None:
        broken = self.state.settings.broken_c_config
        for chain in self.state.chains:
            if self.doomed or chain in self.tells.known:
                continue
            if chain == "C" and broken:
                self.doomed = True
                self.tells.not_created(broken)
            else:
                self.tells.created(chain)
                self.health.add(chain_check(self.state, chain))
