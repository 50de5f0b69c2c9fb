"""What the API server is asked first: whose Deployments we look after, and which rights we have."""

import asyncio
import contextlib
from collections.abc import Callable

from loguru import logger

from controller.base.backoff import Backoff, BackoffPolicy
from controller.base.errors import BootstrapError, LostReply, Trouble
from controller.base.http_errors import NotConnected
from controller.base.said_once import SaidOnce
from controller.kube.api.client import KubeClient
from controller.kube.api.errors import Unauthenticated
from controller.kube.rights import missing_rights
from controller.process.refused_credentials import RefusedCredentials
from controller.process.scope import FindScope, Scope
from controller.process.wiring import Wiring

START_BACKOFF = BackoffPolicy(first=1.0, cap=30.0)


async def first_answers(
    find_scope: FindScope,
    wiring: Wiring,
    client: KubeClient,
    refused: RefusedCredentials,
    *,
    stopping: asyncio.Event,
    on_status: Callable[[str], None],
) -> Scope | None:
    """What we look after, as soon as the API server answers; None where `stopping` is set before.
    Why it does not is said once, and by `on_status`.
    """
    clock = wiring.around.clock
    backoff = Backoff(START_BACKOFF, clock, wiring.around.random)
    said = SaidOnce[str]()
    on_status(f"waiting for the API server {client.where}")
    while not stopping.is_set():
        try:
            scope = await find_scope(wiring, client)
            await _warn_of_rights(scope, client)
        except Trouble as trouble:
            on_status(str(trouble))
            refused.look(client.refused)
            # Once for each kind, in whatever words it goes on.
            if not client.refused and said.begin("", type(trouble).__name__):
                logger.bind(why=str(trouble)).error("cannot start yet")
            with contextlib.suppress(TimeoutError):
                await clock.within(backoff.next_delay(), stopping.wait())
        else:
            refused.look(client.refused)
            if said.end("") is not None:
                logger.info("the API server answers")
            return scope
    return None


async def _warn_of_rights(scope: Scope, client: KubeClient) -> None:
    """Says at once what would fail later; a right may still be granted, so it goes on. Raises what
    says that nothing else would be answered either.
    """
    try:
        for namespace, needed in scope.rights:
            for sentence in await missing_rights(client, namespace, needed):
                logger.error(sentence)
        for namespace, wanted in scope.optional:
            if lacking := await missing_rights(client, namespace, wanted):
                logger.bind(rights=lacking).info(
                    "less will be told of runs than could be: optional rights are missing"
                )
    except (NotConnected, LostReply, Unauthenticated):
        raise
    except BootstrapError as error:
        logger.bind(why=str(error)).warning("rights could not be reviewed")
