"""`demo`: the whole controller on this machine, with no cluster, no Redis and no network."""

import asyncio
from typing import Annotated

import typer


def demo(
    *,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="leave the world running until Ctrl-C, to try the commands"),
    ] = False,
) -> None:
    """Show builds being pinned, followed and judged, in a simulated cluster on this machine."""
    # Imported here: the simulator takes a third of a second, which no other command should.
    from controller.cli.demo_screen import perform

    raise typer.Exit(asyncio.run(perform(keep=keep)))
