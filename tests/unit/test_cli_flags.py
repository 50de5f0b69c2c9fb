"""The flags of the commands: those of the table, and no others."""

import typer.main

from controller.cli.main import app
from controller.settings.option import Option
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE, OPTIONS


def spellings(command: str) -> set[str]:
    """Every flag of a command, as it may be typed."""
    group = typer.main.get_command(app)
    found = group.commands[command].params  # type: ignore[attr-defined]
    return {name for each in found for name in each.opts if name.startswith("-")}


def of(*options: Option[object]) -> set[str]:
    return {name for each in options for name in (each.flag, each.short) if name}


def test_run_takes_every_option() -> None:
    """Can all that is a setting be set by a flag of `run`, in each of its spellings?"""
    assert spellings("run") == of(*OPTIONS)


def test_a_reading_command_takes_what_it_needs() -> None:
    """Does `status` take what names the cluster and the store, and nothing else?"""
    assert spellings("status") == of(*OF_THE_CLUSTER, *OF_THE_STORE) | {"--output", "-o"}


def test_a_lever_takes_no_store() -> None:
    """Does a command that only writes to the cluster ask for no store?"""
    assert spellings("abort") == of(*OF_THE_CLUSTER) | {"--output", "-o"}
    assert spellings("suspend") == spellings("abort") | {"--all"}
