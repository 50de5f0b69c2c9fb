"""What a run still lacks to pass, and the evidence for which it fails."""

from controller.base.durations import format_duration
from controller.base.text import shown
from controller.domain.build import Build, short
from controller.domain.record.parts import Seen

# What it lacks

MANIFEST_FAULT = "the manifest has a fault"
SEVERAL_PODS = "several pods carry the run's id and image"
NO_POD = "no pod with the run's id and image runs the node"
NO_WORD = "the init container has not said that it prepared this run's data"
NOT_BOOTSTRAPPED = "the node has not bootstrapped"
TIP_RESTED = "C's newest block has not advanced in the soak"
NETWORK_UNNAMED = "the node has not said on which network it is"
CHECKS_LATE = "the node's checks have not been made anew since the look before"
LOOKS_LACK = "nobody has looked for long enough since the controller started"
SKEW_UNKNOWN = "the API server's clock is not known"


def no_soak(lacking: str) -> str:
    """lacking: why the last look was no healthy one, empty where that is not known."""
    return "the soak has not begun: bootstrapped and healthy, observed without a gap" + (
        f" ({lacking})" if lacking else ""
    )


def soak_lasts(seconds: float) -> str:
    return f"the soak lasts {format_duration(seconds)} of observed health"


def not_always_asked(demand: str) -> str:
    return f"not every look has asked for {demand}"


def clocks_differ(seconds: float) -> str:
    return f"our clock and the API server's differ by {format_duration(seconds)}"


# Why it fails


def data_gone(pod: str) -> str:
    return (
        f"the data of this run was gone when pod {pod} came: its init container"
        " made a fresh directory"
    )


def other_commit(said: str, wanted: str) -> str:
    return (
        f"the node says that it is commit {shown(said, 40)}, and the registry says that this"
        f" build is {wanted}"
    )


def other_network(said: str, target: str) -> str:
    return (
        f"the node says that it is on {shown(said, 40)}, the target is {target}: something sets"
        " its network that the Deployment does not show, such as a file or a wrapper in the image"
    )


def exited_zero(seen: Seen) -> str:
    line = f": {seen.line}" if seen.line else ""
    return f"the node ended with exit code 0 though nothing told it to, {seen.zeros} times{line}"


def same_twice(seen: Seen) -> str:
    return f"{seen.line}; the same at the second start (exit code {seen.exit})"


def restarted(seen: Seen, calm: float) -> str:
    """calm: seconds for which it was never up."""
    last = f"last exit code {seen.exit}" + (f": {seen.line}" if seen.line else "")
    return f"the node restarted {seen.crashes} times, never up for {format_duration(calm)}, {last}"


def condition_lasted(condition: str, seconds: float, sentence: str) -> str:
    return f"{condition} for {format_duration(seconds)} of observed time: {sentence}"


def too_late(observed: float, timeout: float, phase: str) -> str:
    return (
        f"not passed after {format_duration(observed)} of observed time"
        f" (timeout {format_duration(timeout)}), still {phase.lower()}"
    )


# What a failure is set beside


def last_good(name: str, run: str) -> str:
    return f"last good: {name} (run {run}); the commits are not both known"


def same_commit_passed(commit: str, run: str) -> str:
    return f"the same commit {commit} passed before (run {run})"


def last_good_since(name: str, since: str) -> str:
    """since: the commits between, as a link or as a range."""
    return f"last good: {name}, since then {since}"


def failure_tail(class_: str, good: str) -> str:
    """What follows the evidence: the failure's class, and the last good build if it is known."""
    return f" ({class_})" + (f"; {good}" if good else "")


def build_name(version: str, build: Build) -> str:
    return version or short(build)
