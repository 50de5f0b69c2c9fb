"""What a shell completes beside commands and flags: names that only the cluster and the store know.

A shell has no place for why something is not known: then nothing is offered.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import typer

from controller.base.errors import BootstrapError
from controller.cli.surroundings import quiet_surroundings, reading_settings
from controller.domain.objects import Deployment
from controller.inspection.deployments import inspected
from controller.inspection.lever_writer import open_hand
from controller.inspection.store_ownership import check_ours
from controller.process.wiring import Surroundings, Wiring
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.settings.settings import Settings
from controller.views.deployment import DeploymentView, of_deployment
from controller.views.meaning import version_of
from controller.views.reading import Reading
from controller.views.run import RunView
from store import MemoryStore, ReadOnlyStore, is_memory
from store.api import StoreError

PATIENCE = 2.0  # seconds: who presses the tabulator waits for the cluster no longer
STORE_PATIENCE = 1.0  # and for the store, when the cluster has told
_RUNS = 10  # newest of each target that are offered


@dataclass(frozen=True)
class _Known:
    """What cluster and store told in time."""

    deployments: tuple[DeploymentView, ...] = ()
    runs: tuple[RunView, ...] = ()  # newest first


def deployments(context: typer.Context, incomplete: str) -> list[str]:
    """Names of labelled Deployments; with their namespaces where one is being typed, or where
    several have them.
    """
    return _fitting(_names(_known(context, with_store=False), incomplete), incomplete)


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """Those that Deployments have which are labelled now, or that runs had which are known."""
    known = _known(context, with_store=False)
    found = {each.target for each in known.deployments} | {run.target for run in known.runs}
    return _fitting(sorted(filter(None, found)), incomplete)


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Names of Deployments, which stand for their last run, and ids of runs: with their targets
    where one is being typed, or where several have them.
    """
    known = _known(context, with_store=True)
    ids = [run.run for run in known.runs]
    several = len(set(ids)) < len(ids) or "/" in incomplete
    told = [f"{run.target}/{run.run}" for run in known.runs] if several else ids
    return _fitting([*_names(known, incomplete), *told], incomplete)


def builds(context: typer.Context, incomplete: str) -> list[str]:
    """Tags and versions of builds that were tested, and the tags that are followed."""
    return _fitting(_tags(_known(context, with_store=True)), incomplete)


def build_then_deployments(context: typer.Context, incomplete: str) -> list[str]:
    """For `test-build`: first a build, then names."""
    typed = context.params.get("words")
    if typed or context.params.get("clear"):
        return deployments(context, incomplete)
    return builds(context, incomplete)


def _fitting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


def _names(known: _Known, incomplete: str) -> list[str]:
    keys = [each.deployment for each in known.deployments]
    bare = [key.partition("/")[2] for key in keys]
    return keys if "/" in incomplete or len(set(bare)) < len(bare) else bare


def _tags(known: _Known) -> list[str]:
    followed = [each.tag for each in known.deployments]
    queued = [each.queued for each in known.deployments if ":" not in each.queued]
    tested = [tag for run in known.runs for tag in run.tags]
    versions = [f"v{version_of(run.version)}" for run in known.runs if version_of(run.version)]
    return sorted(filter(None, {*followed, *queued, *tested, *versions}))


def _known(context: typer.Context, *, with_store: bool) -> _Known:
    """Nothing, where the cluster does not tell in time."""
    options = (*OF_THE_CLUSTER, *OF_THE_STORE) if with_store else OF_THE_CLUSTER
    flags = {option.key: context.params.get(option.key) for option in options}
    try:
        return asyncio.run(_asked(flags))
    except (BootstrapError, StoreError, OSError, TimeoutError):
        return _Known()


async def _asked(flags: Mapping[str, object]) -> _Known:
    around, settings = quiet_surroundings(), reading_settings(flags)
    async with AsyncExitStack() as stack:
        here = await around.clock.within(PATIENCE, _labelled(settings, around, stack))
        records = [record for each in here if (record := inspected(each).record) is not None]
        views = tuple(map(of_deployment, here))
        reading = Reading(ReadOnlyStore(MemoryStore()), records)
        found = await _runs(reading, views)
        if not is_memory(settings.store.url):
            with suppress(BootstrapError, StoreError, OSError, TimeoutError):
                told = _remembered(settings, around, here, reading, views)
                found = await around.clock.within(STORE_PATIENCE, told)
    return _Known(views, tuple(sorted(found, key=lambda run: run.run, reverse=True)))


async def _labelled(
    settings: Settings, around: Surroundings, stack: AsyncExitStack
) -> list[Deployment]:
    return list((await (await open_hand(settings, around, stack)).all()).values())


async def _remembered(
    settings: Settings,
    around: Surroundings,
    here: list[Deployment],
    reading: Reading,
    views: tuple[DeploymentView, ...],
) -> list[RunView]:
    async with AsyncExitStack() as stack:
        store = ReadOnlyStore(await Wiring(settings, around, stack).store())
        await check_ours(store, map(inspected, here))
        return await _runs(Reading(store, reading.records), views)


async def _runs(reading: Reading, views: tuple[DeploymentView, ...]) -> list[RunView]:
    found = reading.open()
    for target in sorted({*reading.targets(), *(view.target for view in views if view.target)}):
        found += await reading.ended(target, limit=_RUNS)
    return found
