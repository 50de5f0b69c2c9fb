"""Follows the nodes of open runs: one task a run, a look each interval, sooner when woken."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from controller.base.clock import Clock
from controller.base.tasks import stop_all, supervise
from controller.domain.build import Build
from controller.domain.defaults import Rules
from controller.domain.health.observed_time import Attention
from controller.domain.pace.comparison import PastRun
from controller.domain.record.parts import Facts
from controller.domain.record.record import Record
from controller.engine.probing.run_looks import Probing, RunLooks

__all__ = ["Prober"]


class Prober:
    """What has been observed of each open run. `on_look(key)` is called after each look."""

    def __init__(
        self,
        probing: Probing,
        clock: Clock,
        random: Random,
        *,
        interval: float,
        rules: Rules,
        on_look: Callable[[str], None],
    ) -> None:
        self._probing = probing
        self._clock = clock
        self._random = random
        self._interval = interval
        self._rules = rules
        self._on_look = on_look
        self._following: dict[str, RunLooks] = {}

    def attention(self, key: str) -> Attention | None:
        following = self._following.get(key)
        return following.attention if following else None

    def facts(self, key: str) -> Facts | None:
        """What is known of the open run beside its record; None before the first look."""
        following = self._following.get(key)
        return following.facts if following else None

    def earlier(self, key: str) -> tuple[PastRun, ...] | None:
        """Passed runs of the open run's target; None while the store has not told."""
        following = self._following.get(key)
        return following.earlier if following else None

    def order(self, key: str) -> Mapping[Build, float] | None:
        """When the open run's target's tag first pointed to which build, in seconds since 1970;
        None while the store has not told.
        """
        following = self._following.get(key)
        return following.order if following else None

    def follow(self, key: str, record: Record) -> None:
        """Looks at the record's open run from now on; at none if there is none."""
        following = self._following.get(key)
        if following is not None and (record.run is None or following.run.id != record.run.id):
            self.forget(key)
            following = None
        if following is not None and record.run is not None:
            following.record = record
        elif record.run is not None:
            following = RunLooks(self._probing, self._clock, record, self._interval, self._rules)
            self._following[key] = following
            following.task = asyncio.create_task(
                supervise(
                    f"probe {key}", partial(self._follow, following), self._clock, self._random
                ),
                name=f"probe {key}",
            )

    def wake(self, key: str) -> None:
        """Looks at once: something about the pod changed."""
        following = self._following.get(key)
        if following is not None:
            following.woken.set()

    def forget(self, key: str) -> None:
        following = self._following.pop(key, None)
        if following is not None and following.task is not None:
            following.task.cancel()

    async def stop(self) -> None:
        tasks = [f.task for f in self._following.values() if f.task is not None]
        self._following.clear()
        await stop_all(tasks)

    async def _follow(self, following: RunLooks) -> None:
        """The loop of one run."""
        await following.begin()
        while True:
            following.woken.clear()
            await following.look()
            self._on_look(following.record.key)
            await following.listen()
            await following.save()
            delay = self._interval * (0.9 + 0.2 * self._random.random())
            if following.reverted:
                delays = self._rules.revert_delays
                # A pin that was taken back is put back on time, whatever the interval.
                delay = min(delay, delays[min(following.run.reverts, len(delays) - 1)])
            try:
                await self._clock.within(delay, following.woken.wait())
            except TimeoutError:
                continue
