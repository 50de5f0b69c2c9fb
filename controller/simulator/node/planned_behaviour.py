"""How a build behaves when it is run: part of the image's content, as its faults would be."""

from dataclasses import dataclass
from math import inf

from controller.simulator.node.start_failure import StartFailure

LOW_STAKE = "not connected to enough stake"  # how the error of a chain's check begins [90]

# What C says of a block that does not verify [scene bad-block].
BAD_BLOCK = (
    "failed to verify block hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK (height=5000,"
    " parentID=UE75AbTD97MHj4dfurTX4pfu1XQ8BTK5rV3HvuAEbe4wVNJjA) in bootstrapping:"
    " invalid merkle root (remote:"
    " c4e1a473925bac48bd84ab3f0ce1b43ca8784beda87d1a2e6740209870318937 local:"
    " 9e8402a12ac98fbfef58dd17f37d36289e7e0ab7c79770efdab142ef40df7b3d) dberr: %!w(<nil>)"
    " with last accepted UE75AbTD97MHj4dfurTX4pfu1XQ8BTK5rV3HvuAEbe4wVNJjA (height=4999)"
    " while processing sync message: ancestors from NodeID-7Xhw2mDxuDS44j42TCB6U5579esbSt3Lg"
)


@dataclass(frozen=True)
class Unhealthy:
    """A health check that fails at times."""

    check: str  # its name, such as `network`
    error: str = LOW_STAKE
    begin: float = 0.0  # seconds of the process's life
    end: float = inf  # likewise
    every: float | None = None  # seconds after which both count again (a check that flaps)

    def at(self, age: float) -> bool:
        moment = age % self.every if self.every else age
        return self.begin <= moment < self.end


@dataclass(frozen=True)
class Plan:
    """What a build does. All times are seconds; None means never.

    Of the ends that are planned (`…_after`) the earliest one wins. Each comes in the first
    `…_times` processes on the same data that it ended; None: in all of them.
    """

    # Work until bootstrapped; what the volume holds of it is not done again, and `inf` waits for
    # `SimulatedNode.finish`.
    bootstrap_seconds: float = 2.0
    stall_after: float | None = None  # of work, after which nothing moves
    crash_after: float | None = None  # of the process's life, as all that follow
    crash_code: int = 1
    crash_times: int | None = None
    # Error of the fatal line with which C goes down, and the node with it in good order [116];
    # empty for an end without a word, such as a fault in native code.
    crash_line: str = BAD_BLOCK
    # At half of it `diskspace` begins to fail, at its end the node ends with 1 [91].
    disk_full_after: float | None = None
    exit_zero_after: float | None = None  # a panic that was caught, exit code 0 [117]
    unhealthy: tuple[Unhealthy, ...] = ()
    hang_for: float = 0.0  # bound but not serving [92]
    never_listens: bool = False
    strict_hosts: bool = False  # a build that refuses addresses as Host too [94]
    heights_frozen: bool = False  # bootstrapped, and no new block from that moment on
    no_peers: bool = False
    # From SIGTERM to its end; longer than the pod's grace means SIGKILL [60].
    shutdown_seconds: float = 0.0
    disk_full_times: int | None = None
    exit_zero_times: int | None = None
    oom_after: float | None = None  # killed by the kernel, 137 and `OOMKilled`
    oom_times: int | None = None
    # Its only line, with which it ends at once with 1, the database untouched [116]; empty for a
    # build that starts.
    refuses: str = ""
    low_stake: bool = False  # the checks of all chains fail, always, for want of connected stake
    # No new block, on a network where nobody makes any: its newest is as old as its genesis.
    quiet: bool = False
    metrics: bool = True  # False for a version without `/ext/metrics` (404)
    lacks: tuple[str, ...] = ()  # beginnings of names of metrics that it has not
    # SIGTERM does not reach it, as behind a shell that passes none on: it answers until it is
    # killed.
    deaf: bool = False
    panic_after: float | None = None  # one that nobody catches, exit code 2 [scene panic]
    panic_times: int | None = None
    # What keeps it from starting, always; None: nothing does.
    fails_to_start: StartFailure | None = None
    # Height of C at whose block it never returns, or not for so long: from then on no check comes
    # back, and nothing moves, while the node goes on answering [scene hang, hang-when-ready].
    locked_at: int | None = None
    lock_seconds: float = inf
    # Version of the network's nodes, which refuse this one: `avalanchego/1.16.0`; empty: they do
    # not [scene moved-on].
    moved_on: str = ""
    cannot_parse: bool = False  # C never fetches a block, and says nothing [scene cannot-parse]
    summary: str = "Static"  # how a state sync goes: also `Skipped`, the node replays everything
    sync_stuck: bool = False  # a state sync's requests fail for ever [scene state-sync-stuck]
    # Of the work, between fetching and executing C's blocks, in which nothing moves [scene full].
    compacts_for: float = 0.0
