"""The notifier: gives each notice to every sink."""

from collections.abc import Sequence
from dataclasses import replace

from loguru import logger

from controller.base.clock import Clock
from controller.base.metrics import Metrics
from controller.base.redact import redact
from controller.base.said_once import SaidOnce
from controller.base.text import shown
from controller.domain.failure_class import class_of
from controller.domain.notice import Notice, Sink
from controller.domain.run import OPEN, OVER, Phase

SINK_SECONDS = 5.0  # a sink is a datagram or one request; its time is the reconcile's time


class Notifier:
    """A sink made of sinks, told one after the other in the order given: log, Datadog, Kubernetes
    Event. What goes wrong in one is logged, once until it goes well again, and hides nothing from
    the next. No promise that a notice arrives: agents and API servers do not say.
    """

    def __init__(self, sinks: Sequence[Sink], clock: Clock, metrics: Metrics) -> None:
        self._sinks = sinks
        self._clock = clock
        self._metrics = metrics
        self._failing = SaidOnce[str]()

    async def tell(self, notice: Notice) -> None:
        self._metrics.notice(notice.reason)
        if notice.phase in OVER and notice.phase_before in OPEN:
            side = class_of(notice.reason) if notice.phase is Phase.FAILED else ""
            self._metrics.run_ended(notice.target, notice.phase, notice.reason, side)
        # Of a registry or a store too, whose words no record holds.
        notice = replace(notice, text=redact(notice.text))
        for place, sink in enumerate(self._sinks):
            # by place too: two sinks of one kind have troubles of their own
            await self._give(f"{place} {type(sink).__name__}", sink, notice)

    async def _give(self, name: str, sink: Sink, notice: Notice) -> None:
        try:
            await self._clock.within(SINK_SECONDS, sink.tell(notice))
        except TimeoutError:
            self._failed(name, f"it took longer than {SINK_SECONDS:.0f}s")
        except Exception as error:  # noqa: BLE001 the next sink must be told whatever this one did
            self._failed(name, f"{type(error).__name__}: {error}")
        else:
            if self._failing.end(name):
                logger.bind(sink=name).info("sink takes notices again")

    def _failed(self, name: str, why: str) -> None:
        if self._failing.begin(name, "failed"):  # whatever it says of it
            logger.bind(sink=name, error=shown(why)).error("sink has failed")
