"""Progress in words."""

from controller.base.durations import format_duration
from controller.domain.pace.progress import Progress, Stage, order_of


def describe_progress(progress: Progress, *, finished: bool = False) -> tuple[str, ...]:
    """A line for each stage that has begun, such as `P executed 24000 (12/s)`; the one that moved
    last comes first. finished: the node has bootstrapped, so what stands has nothing left to do.
    """
    begun = [key for key, stage in progress.stages.items() if stage.count > 0]
    begun.sort(key=order_of, reverse=True)
    begun.sort(key=lambda key: key != progress.doing)
    standing = () if finished else standing_stages(progress)
    return tuple(_line(key, progress.stages[key], key in standing) for key in begun)


def standing_stages(progress: Progress) -> tuple[str, ...]:
    """Keys of the stages that stand, of those that moved last: in the node, and in C, which others
    do not move for: a chain that has finished bootstraps again and again while C lacks [106].
    """
    last = dict.fromkeys((progress.doing, progress.last.get("C", "")))
    return tuple(key for key in last if progress.stages.get(key, Stage()).stands)


def _line(key: str, stage: Stage, stands: bool) -> str:
    speed = f" ({_speed(stage.rate)})" if stage.rate else ""
    if stands:
        speed = f" (stands for {format_duration(stage.rested)})"
    return f"{key.replace('/', ' ', 1)} {stage.count:.0f}{speed}"


def _speed(rate: float) -> str:
    if rate >= 10:
        return f"{rate:.0f}/s"
    return f"{rate:.1f}/s" if rate >= 0.1 else f"{rate * 3600:.0f}/h"
