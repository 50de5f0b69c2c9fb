"""A whole list on its way into the cache and to the handlers."""

import asyncio
from random import Random
from typing import cast

from controller.domain.objects import Deployment
from controller.kube.watch.cache import Cache
from controller.kube.watch.informer import Informer
from controller.kube.watch.list_and_watch import ListAndWatch
from controller.kube.watch.listing import Listing
from tests.fakes import FakeClock
from tests.kube_samples.objects import as_deployment, deployment


class _NoOffer:
    """Nothing is asked of it."""

    plural = "deployments"
    namespace = "bootstrap"


async def test_others_have_the_loop_while_a_long_list_is_taken() -> None:
    """Does a list of thousands hold nobody up, and is it seen as a whole and told as a whole?"""
    cache, told, seen = Cache[Deployment](), list[str](), list[int]()
    offer = cast("ListAndWatch[Deployment]", _NoOffer())
    informer = Informer(offer, cache, FakeClock(), Random(1))
    informer.on_change(
        lambda change: told.append(change.after.metadata.key if change.after else "")
    )
    one = as_deployment(deployment("fuji", "1"))
    many = [as_deployment(deployment(f"fuji-{number}", "1")) for number in range(1200)]
    cache.put(one)

    taking = asyncio.create_task(informer.replace(Listing(many, "7")))
    while not taking.done():
        await asyncio.sleep(0)
        seen.append(len(cache))

    assert len(seen) > 3
    assert set(seen) == {1, 1200}
    assert sorted(told) == sorted(["", *(each.metadata.key for each in many)])
