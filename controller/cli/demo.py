"""`demo`: the whole controller on this machine, with no cluster, no Redis and no network."""

import asyncio

import typer


def demo() -> None:
    """Show builds being pinned, followed and judged, in a simulated cluster on this machine."""
    # Imported here: the simulator takes a third of a second, which no other command should.
    from controller.cli.demo_screen import perform

    raise typer.Exit(asyncio.run(perform()))
