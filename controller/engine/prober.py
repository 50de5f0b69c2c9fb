"""Follows the nodes of open runs: one task a run, a look each interval, sooner when woken."""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random

from loguru import logger

from controller.base.clock import Clock
from controller.base.errors import TargetFault
from controller.base.tasks import stop_all, supervise
from controller.domain.answer import NodeAnswer
from controller.domain.attention import Attention, Look, attend
from controller.domain.objects import Deployment
from controller.domain.pin import PinState, pin_state
from controller.domain.podview import RunPods, address_of, view_pods
from controller.domain.record import OpenRun, Record
from controller.domain.rules import Rules
from controller.domain.service import node_port
from controller.domain.subject import node_container_name
from controller.engine.ports import Cluster, NodeProbe, StateStore
from store.api import StoreMisused, StoreUnavailable

# Seconds between two notes of observed time in the store: what a crash can cost a timeout.
CHECKPOINT = 300.0


class Prober:
    """What has been observed of each open run. `on_look(key)` is called after each look."""

    def __init__(  # noqa: PLR0913 five collaborators, an ear and two values
        self,
        cluster: Cluster,
        probe: NodeProbe,
        store: StateStore,
        clock: Clock,
        random: Random,
        *,
        interval: float,
        rules: Rules,
        on_look: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._probe = probe
        self._store = store
        self._clock = clock
        self._random = random
        self._interval = interval
        self._rules = rules
        self._gap = max(interval * rules.gap_factor, rules.gap_least)
        self._on_look = on_look
        self._following: dict[str, _Following] = {}

    def attention(self, key: str) -> Attention | None:
        following = self._following.get(key)
        return following.attention if following else None

    def follow(self, key: str, record: Record) -> None:
        """Looks at the record's open run from now on; at none if there is none."""
        following = self._following.get(key)
        if following is not None and (record.run is None or following.run.id != record.run.id):
            self.forget(key)
            following = None
        if following is not None and record.run is not None:
            following.record, following.run = record, record.run
        elif record.run is not None:
            following = self._following[key] = _Following(record, record.run)
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
        if following is not None:
            _cancel(following)

    async def stop(self) -> None:
        tasks = [f.task for f in self._following.values() if f.task is not None]
        self._following.clear()
        await stop_all(tasks)

    async def _follow(self, following: "_Following") -> None:
        """The loop of one run."""
        run = following.run
        if following.attention.looks == 0:
            observed = max(run.observed, await self._recalled(run))
            following.attention = Attention(run.id, observed=observed)
        while True:
            following.woken.clear()
            await self._look(following)
            self._on_look(following.record.key)
            await self._checkpoint(following)
            delay = self._interval * (0.9 + 0.2 * self._random.random())
            if following.reverted:
                delays = self._rules.revert_delays
                # A pin that was taken back is put back on time, whatever the interval.
                delay = min(delay, delays[min(following.run.reverts, len(delays) - 1)])
            try:
                await self._clock.within(delay, following.woken.wait())
            except TimeoutError:
                continue

    async def _look(self, following: "_Following") -> None:
        key, run = following.record.key, following.run
        deployment = self._cluster.deployment(key)
        if deployment is None:
            return  # nothing to look at is a gap in observation
        before = view_pods(self._cluster.pods(key), run, node_container_name(deployment))
        answer = await self._ask(key, deployment, before)
        after = view_pods(self._cluster.pods(key), run, node_container_name(deployment))
        if after.life != before.life:
            answer = None  # whoever answered, it is not the node that runs now
        following.reverted = pin_state(deployment, run, following.record) is PinState.REVERTED
        following.attention = attend(
            following.attention,
            Look(
                at=self._clock.monotonic(),
                life=after.life,
                answer=answer,
                # While its manifest is broken a run cannot pass, so that time counts for nothing.
                started=bool(run.started or after.started) and not run.fault,
                pulling=bool(after.pulling),
                reverted=following.reverted,
            ),
            self._gap,
        )

    async def _ask(self, key: str, deployment: Deployment, pods: RunPods) -> NodeAnswer | None:
        try:
            port = node_port(deployment, self._cluster.service(key))
        except TargetFault:
            return None  # the machine says so; there is nobody to ask
        address = address_of(deployment, pods, port)
        return await self._probe.ask(address) if address is not None else None

    async def _recalled(self, run: OpenRun) -> float:
        """Observed seconds that an earlier controller noted; the record's own are not fewer by
        more than a checkpoint.
        """
        try:
            fields = await self._store.run(run.target, run.id)
            return float(fields.get("observed", "0"))
        except (StoreUnavailable, StoreMisused, ValueError) as error:
            logger.bind(run=run.id, error=str(error)).debug("observed time not recalled")
            return 0.0

    async def _checkpoint(self, following: "_Following") -> None:
        attention, run = following.attention, following.run
        if attention.observed - following.noted < CHECKPOINT:
            return
        following.noted = attention.observed
        try:
            fields = {"observed": f"{attention.observed:.0f}"}
            await self._store.put_run(run.target, run.id, fields)
        except (StoreUnavailable, StoreMisused) as error:
            logger.bind(run=run.id, error=str(error)).debug("observed time not noted")


class _Following:
    """One open run that is looked at. noted: observed seconds that the store knows of."""

    def __init__(self, record: Record, run: OpenRun) -> None:
        self.record = record
        self.run = run
        self.attention = Attention(run.id)
        self.noted = run.observed
        self.reverted = False
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


def _cancel(following: _Following) -> None:
    if following.task is not None:
        following.task.cancel()
