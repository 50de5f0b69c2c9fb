"""What a node writes to its log on its way, in avalanchego's words [112, 116]."""

from controller.simulator.node.log import NodeLog
from controller.simulator.node.settings import Version
from controller.simulator.node.state import NodeState

_PANIC = "runtime error: invalid memory address or nil pointer dereference"


class Narration:
    """Writes lines about a state; the numbers are those of the moment."""

    def __init__(self, log: NodeLog, state: NodeState) -> None:
        self._log = log
        self._state = state

    def starting(self, version: Version) -> None:
        self._log.write(
            "INFO",
            "node/node.go:128",
            "initializing node",
            version={"application": f"avalanchego/{version.version}", "commit": version.commit},
            network=self._state.settings.network,
        )

    def progress(self) -> None:
        for chain in self._state.settings.chains:
            now = self._state.numbers(chain)
            self._log.write(
                "INFO",
                f"<{chain} Chain> bootstrap/bootstrapper.go:642",
                "executing blocks" if now.accepted else "fetching blocks",
                numFetchedBlocks=now.fetched,
                numExecuted=now.accepted,
                pctComplete=round(100 * self._state.share, 2),
            )

    def bootstrapped(self) -> None:
        for chain in self._state.settings.chains:
            self._log.write(
                "INFO",
                f"<{chain} Chain> snowman/engine.go:95",
                "consensus starting",
                lastAcceptedHeight=self._state.numbers(chain).height,
            )

    def crashing(self, error: str) -> None:
        """The first fatal line is the cause, as with a real node, where tens of lines follow it;
        ours is the last [116, 117].
        """
        self._log.write(
            "FATAL",
            "<C Chain> handler/handler.go:337",
            "shutting down chain",
            reason="received an unexpected error",
            error=error,
        )

    def low_on_disk(self) -> None:
        self._log.write(
            "FATAL",
            "node/node.go:1481",
            "low on disk space. Shutting down...",
            availableDiskBytes=2 * 10**10,
            remainingDiskPercentage=2,
            requiredDiskPercentage=3,
        )

    def panicking(self) -> None:
        self._log.write("FATAL", "logging/log.go:139", "panicking", reason=_PANIC)
        self._log.raw(f"caught panic {_PANIC}")
