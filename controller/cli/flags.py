"""The flags of the commands, made from the one table of options: no command names them itself."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from controller.settings.option import Option

Flags = dict[str, Any]  # by `Option.key`, as `load_settings` takes them; None where not given
Command = Callable[..., None]


def takes(*options: Option[Any]) -> Callable[[Command], Command]:
    """The command takes these flags too, where its parameter `flags` stands, which gets them all.
    typer reads a command's parameters from its signature, and so they are put into that.
    """

    def with_flags(command: Command) -> Command:
        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command).parameters.values():
            parameters += map(_parameter, options) if own.name == "flags" else [own]

        @wraps(command)
        def called(**given: Any) -> None:
            flags = {option.key: given.pop(option.key) for option in options}
            command(flags=flags, **given)

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # mypy knows none
        return called

    return with_flags


def _parameter(option: Option[Any]) -> inspect.Parameter:
    kind: Any = list[str] if option.repeatable else str if option.metavar else bool
    return inspect.Parameter(
        option.key,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, _typer_option(option)],
    )


def _typer_option(option: Option[Any]) -> Any:
    names = [option.flag, *([option.short] if option.short else [])]
    if not option.metavar:
        return typer.Option(*names, help=option.meaning, show_default=False)
    default = f" (default {option.shown_default})" if option.shown_default else ""
    variable = f" [{option.variable}]" if option.variable else ""
    return typer.Option(
        *names,
        help=f"{option.meaning}{default}{variable}",
        show_default=False,
        metavar=option.metavar,
    )
