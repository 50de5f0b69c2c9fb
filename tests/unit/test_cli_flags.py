"""The commands and their flags: those of the tables, and no others."""

import inspect

import pytest
import typer.main

from controller.cli.commands import COMMANDS, Listed, command_line
from controller.settings.option import Option
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE, OPTIONS


def spellings(command: str) -> set[str]:
    """Every flag of a command, as it may be typed."""
    group = typer.main.get_command(command_line([command]))
    found = group.commands[command].params  # type: ignore[attr-defined]
    return {name for each in found for name in each.opts if name.startswith("-")}


def of(*options: Option[object]) -> set[str]:
    return {name for each in options for name in (each.flag, each.short) if name}


def test_run_takes_every_option() -> None:
    """Can all that is a setting be set by a flag of `run`, in each of its spellings?"""
    assert spellings("run") == of(*OPTIONS)


def test_a_reading_command_takes_what_it_needs() -> None:
    """Does `status` take what names the cluster and the store, and nothing else?"""
    own = {"--output", "-o", "--watch", "-w"}
    assert spellings("status") == of(*OF_THE_CLUSTER, *OF_THE_STORE) | own


def test_a_lever_takes_no_store() -> None:
    """Does a command that only writes to the cluster ask for no store?"""
    assert spellings("abort") == of(*OF_THE_CLUSTER) | {"--output", "-o"}
    assert spellings("suspend") == spellings("abort") | {"--all"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_says_of_itself_what_the_list_says_of_it(command: Listed) -> None:
    """Does its own help, which is longer at times, begin with the sentence in the list?"""
    group = typer.main.get_command(command_line([command.name]))
    own = group.commands[command.name].help  # type: ignore[attr-defined]
    assert " ".join(inspect.cleandoc(own).split()).startswith(command.help)
