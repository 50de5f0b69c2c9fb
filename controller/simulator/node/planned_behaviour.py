"""How a build behaves when it is run: part of the image's content, as its faults would be."""

from dataclasses import dataclass
from math import inf

LOW_STAKE = "not connected to enough stake"  # how the error of a chain's check begins [90]


@dataclass(frozen=True)
class Unhealthy:
    """A health check that fails at times.

    check: its name, such as `network`. begin, end: seconds of the process's life. every: the
    period after which begin and end count again (a check that flaps); None for once.
    """

    check: str
    error: str = LOW_STAKE
    begin: float = 0.0
    end: float = inf
    every: float | None = None

    def at(self, age: float) -> bool:
        moment = age % self.every if self.every else age
        return self.begin <= moment < self.end


@dataclass(frozen=True)
class Plan:
    """What a build does. All times are seconds; None means never.

    bootstrap_seconds: work until bootstrapped; what the volume holds of it is not done again, and
    `inf` waits for `SimulatedNode.finish`. stall_after: seconds of work after which nothing moves.

    Of the process's life: crash_after with crash_code and crash_line, which is empty for an end
    without a word, such as a fault in native code; disk_full_after: at half of it `diskspace`
    begins to fail, at its end the node ends with 1 [91]; exit_zero_after: a panic that was caught,
    exit code 0 [117]; oom_after: killed by the kernel, 137 and `OOMKilled`. Each of them comes in
    the first `…_times` processes on the same data that it ended (None: in all); the earliest one
    wins. refuses: its only line, with which it ends at once with 1, the database untouched [116];
    empty for a build that starts. unhealthy: checks that fail at times. low_stake: the checks of
    all chains fail, always, for want of connected stake.

    Of its listener: hang_for: bound but not serving, for so long [92]; never_listens; strict_hosts:
    a build that refuses addresses as Host too [94].

    Of what it says: heights_frozen: bootstrapped, and no new block from that moment on; quiet: the
    same on a network where nobody makes blocks, whose newest one is as old as its genesis;
    no_peers; metrics: False for a version without `/ext/metrics` (404); lacks: beginnings of the
    names of metrics that it does not have, `avalanche_snowman_bs_`.
    shutdown_seconds: from SIGTERM to its end; longer than the pod's grace means SIGKILL [60]. deaf:
    SIGTERM does not reach it, as behind a shell that passes none on: it answers until it is killed.
    """

    bootstrap_seconds: float = 2.0
    stall_after: float | None = None
    crash_after: float | None = None
    crash_code: int = 1
    crash_times: int | None = None
    crash_line: str = "failed to verify block 2Z4Uuc in bootstrapping"  # form of [116]
    disk_full_after: float | None = None
    exit_zero_after: float | None = None
    unhealthy: tuple[Unhealthy, ...] = ()
    hang_for: float = 0.0
    never_listens: bool = False
    strict_hosts: bool = False
    heights_frozen: bool = False
    no_peers: bool = False
    shutdown_seconds: float = 0.0
    disk_full_times: int | None = None
    exit_zero_times: int | None = None
    oom_after: float | None = None
    oom_times: int | None = None
    refuses: str = ""
    low_stake: bool = False
    quiet: bool = False
    metrics: bool = True
    lacks: tuple[str, ...] = ()
    deaf: bool = False
