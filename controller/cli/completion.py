"""What a shell completes beside commands and flags: names that only the cluster knows."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress

import typer

from controller.base.errors import BootstrapError, TargetFault
from controller.cli.surroundings import quiet_surroundings, reading_settings
from controller.domain.defaults import Rules
from controller.domain.manifest.request import read_request
from controller.domain.objects import Deployment
from controller.inspection.lever_writer import open_hand
from controller.settings.options import OF_THE_CLUSTER

PATIENCE = 2.0  # seconds: who presses the tabulator waits for the cluster no longer


def deployments(context: typer.Context, incomplete: str) -> list[str]:
    """Names of labelled Deployments; with their namespaces where one is being typed, or where
    several have them.
    """
    keys = list(_labelled(context))
    bare = [key.partition("/")[2] for key in keys]
    names = keys if "/" in incomplete or len(set(bare)) < len(bare) else bare
    return [name for name in names if name.startswith(incomplete)]


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """Those that are tested by Deployments that are labelled now."""
    found = set[str]()
    for deployment in _labelled(context).values():
        with suppress(TargetFault):
            found.add(str(read_request(deployment, Rules()).target))
    return sorted(target for target in found if target.startswith(incomplete))


def _labelled(context: typer.Context) -> dict[str, Deployment]:
    """By key. Nothing, where the cluster does not tell in time: a shell has no place for why."""
    flags = {option.key: context.params.get(option.key) for option in OF_THE_CLUSTER}
    try:
        return asyncio.run(_listed(flags))
    except (BootstrapError, OSError, TimeoutError):
        return {}


async def _listed(flags: Mapping[str, object]) -> dict[str, Deployment]:
    around = quiet_surroundings()

    async def asked() -> dict[str, Deployment]:
        async with AsyncExitStack() as stack:
            return await (await open_hand(reading_settings(flags), around, stack)).all()

    return await around.clock.within(PATIENCE, asked())
