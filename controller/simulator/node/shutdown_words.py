"""What a node says on its way down, in the order of [scene bad-block, term-when-ready, hang]."""

from collections.abc import Sequence

from controller.simulator.node.log import NodeLog, Took
from controller.simulator.node.start_words import registered
from controller.simulator.node.state import NodeState

LONGEST = 60.0  # seconds for which the node waits for a chain that does not come down [scene hang]

_LIBRARY = "github.com/ava-labs/avalanchego"
_ROUTER = "router/chain_router.go"
_TRIE = "root=0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_VM_LINES = (
    ("core/txpool/legacypool/legacypool.go:454", "Transaction pool stopped", ""),
    ("core/blockchain.go:993", "Closing quit channel", ""),
    ("core/blockchain.go:996", "Stopping Acceptor", ""),
    ("core/blockchain.go:999", "Acceptor queue drained", "t=971ns"),
    ("core/blockchain.go:1002", "Shutting down sender cacher", ""),
    ("core/blockchain.go:1006", "Closing scope", ""),
    ("core/blockchain.go:1010", "Waiting for background processes to complete", ""),
    ("core/blockchain.go:1029", "Shutting down state manager", ""),
    (
        f"{_LIBRARY}/graft/evm/triedb/hashdb/database.go:564",
        "Persisted trie from memory database",
        "nodes=2092 size=356.37KiB time=15.682357ms gcnodes=9568  gcsize=3.35MiB  "
        "gctime=29.632869ms  livenodes=333 livesize=139.47KiB",
    ),
    ("core/blockchain.go:1034", "State manager shut down", "t=15.746082ms"),
    ("core/blockchain.go:1039", "Blockchain stopped", ""),
    ("eth/backend.go:407", "Stopped shutdownTracker", ""),
    ("eth/backend.go:410", "Closed chaindb", ""),
    ("eth/backend.go:412", "Stopped EventMux", ""),
)


class Shutdown:
    """The lines of one shutdown. chains: those that are up."""

    def __init__(self, log: NodeLog, state: NodeState, chains: Sequence[str]) -> None:
        self._log = log
        self._state = state
        self._up = list(chains)

    def begin(self, code: int) -> None:
        """The node is told to go, with that exit code."""
        self._log.write("INFO", "node/node.go:1851", "shutting down node", ("exitCode", code))
        registered(self._log, "health", "shuttingDown")

    def routers(self) -> None:
        self._log.write("INFO", "chains/manager.go:1559", "shutting down chain manager")
        self._log.write("INFO", f"{_ROUTER}:421", "shutting down chain router")

    def rest(self) -> None:
        """From the chains to the end; C was waited for in vain where it is locked."""
        self.routers()
        self.chains()
        self.end()

    def chains(self) -> None:
        """Those that are still up, and come down."""
        for chain in [chain for chain in self._up if not (chain == "C" and self._state.locked)]:
            self.of_chain(chain)

    def end(self) -> None:
        if "C" in self._up:
            self._log.write(
                "WARN",
                f"{_ROUTER}:440",
                "timed out while shutting down",
                ("stack", _stack()),
                ("error", "context deadline exceeded"),
                chain="C",
            )
        for caller, message in (
            ("network/network.go:1142", "shutting down the p2p networking"),
            ("nat/nat.go:193", "Unmapped all ports"),
            ("node/node.go:1908", "cleaning up plugin runtimes"),
            ("node/node.go:1936", "finished node shutdown"),
        ):
            self._log.write("INFO", caller, message)

    def of_chain(self, chain: str, caller: str = f"{_ROUTER}:445") -> None:
        """caller: of the line that it is down."""
        if chain not in self._up:
            return
        self._up.remove(chain)
        where, what = self._engine(chain)
        self._log.write("INFO", where, f"shutting down {what}", chain=chain)
        if chain == "C":
            self._coreth()
        took = ("shutdownDuration", Took(0.020099196))
        self._log.write("INFO", caller, "chain shutdown", took, chain=chain)

    def _engine(self, chain: str) -> tuple[str, str]:
        """Line and name of what runs it now."""
        state = self._state
        if state.bootstrapped:
            return "snowman/engine.go:437", "consensus engine"
        if chain == "C" and state.syncs_state and not state.numbers("C").fetched:
            return "syncer/state_syncer.go:592", "state syncer"
        return "bootstrap/bootstrapper.go:807", "bootstrapper"

    def _coreth(self) -> None:
        height = max(0, self._state.numbers("C").height)
        place = "plugin/evm/atomic/state/atomic_trie.go:139"
        self._log.vm(place, "committed atomic trie", f"{_TRIE} height={height}")
        for caller, message, more in _VM_LINES:
            self._log.vm(caller, message, more)


def _stack() -> str:
    """Of all goroutines; a real one is ten times as long."""
    frames = (
        f"goroutine {number} [select, 2 minutes]:\n{_LIBRARY}/network/peer.(*peer).writeMessages"
        f"(0xc000{number:06x})\n\t{_LIBRARY}/network/peer/peer.go:499 +0x1a5\n"
        for number in range(1, 20)
    )
    return "\n".join(frames)
