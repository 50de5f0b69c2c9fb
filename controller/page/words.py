"""How values are written on pages: short, and the same everywhere."""

from datetime import datetime
from statistics import median

from controller.base.durations import format_duration
from controller.views.run import RunView

# Beside each colour, for those who do not see it.
SIGNS = {
    "Passed": "✓", "Failed": "✗", "Aborted": "-", "Starting": "○", "Bootstrapping": "●",
    "Soaking": "◐", "Held": "!", "Blocked": "!", "Suspended": "=",
    "passed": "✓", "failed": "✗", "aborted": "-", "open": "●", "claimed": "…", "passed by": "→",
}  # fmt: skip
_KINDS = {
    "passed",
    "failed",
    "aborted",
    "starting",
    "bootstrapping",
    "soaking",
    "open",
    "held",
    "blocked",
}


def sign(word: str) -> str:
    return SIGNS.get(word, "·")


def kind(word: str) -> str:
    """A class of the style sheet; never what others wrote."""
    return word.lower() if word.lower() in _KINDS else "other"


def lasting(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds)


def stamp(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def iso(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def short(digest: str) -> str:
    """Enough of a digest to tell it from others."""
    return digest.removeprefix("sha256:")[:12]


def version(run: RunView) -> str:
    """What a person calls the build."""
    return run.version.removeprefix("avalanchego/") or short(run.build)


def duration_of(run: RunView) -> float | None:
    """Seconds that a run is compared by; None for one that never bootstrapped nor was looked at."""
    return run.took or run.observed


def usual(runs: list[RunView]) -> float | None:
    """Median seconds of the passes; None where there is none."""
    took = [run.took for run in runs if run.phase == "Passed" and run.took]
    return median(took) if took else None
