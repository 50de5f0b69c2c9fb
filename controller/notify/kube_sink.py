"""Notices as Kubernetes Events on the Deployments that they are about."""

from typing import Protocol

from loguru import logger

from controller.base.errors import Trouble
from controller.base.said_once import SaidOnce
from controller.base.text import shown
from controller.domain.notice import Notice


class EventPoster(Protocol):
    """The part of the cluster that is needed here."""

    async def post_event(self, notice: Notice) -> None:
        """Raises Trouble."""
        ...


class KubeSink:
    """Trouble with posting is logged once until it is over: Events are a convenience, what they
    say stands in the record, the history and the log too.
    """

    def __init__(self, poster: EventPoster) -> None:
        self._poster = poster
        # by namespace: so rights are given, and so are they lacking
        self._failing = SaidOnce[str]()

    async def tell(self, notice: Notice) -> None:
        if not notice.deployment:
            return  # an Event needs an object to hang on
        namespace = notice.deployment.partition("/")[0]
        try:
            await self._poster.post_event(notice)
        except Trouble as trouble:
            if self._failing.begin(namespace, "failed"):
                logger.bind(namespace=namespace, error=shown(trouble)).warning(
                    "Kubernetes Events cannot be posted"
                )
        else:
            if self._failing.end(namespace):
                logger.bind(namespace=namespace).info("Kubernetes Events can be posted again")
