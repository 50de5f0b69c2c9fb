"""Progress in words."""

from controller.domain.pace.progress import Progress, Stage, order_of


def describe_progress(progress: Progress) -> tuple[str, ...]:
    """A line for each stage that has begun, such as `P executed 24000 (12/s)`; the one that moved
    last comes first, with `(not now)` if it has not moved in the last minutes.
    """
    begun = [key for key, stage in progress.stages.items() if stage.count > 0]
    begun.sort(key=order_of, reverse=True)
    begun.sort(key=lambda key: key != progress.doing)
    return tuple(_line(key, progress.stages[key], key == progress.doing) for key in begun)


def _line(key: str, stage: Stage, moved_last: bool) -> str:
    speed = f" ({_speed(stage.rate)})" if stage.rate else ""
    if stage.rate == 0 and moved_last:
        speed = " (not now)"
    return f"{key.replace('/', ' ', 1)} {stage.count:.0f}{speed}"


def _speed(rate: float) -> str:
    if rate >= 10:
        return f"{rate:.0f}/s"
    return f"{rate:.1f}/s" if rate >= 0.1 else f"{rate * 3600:.0f}/h"
