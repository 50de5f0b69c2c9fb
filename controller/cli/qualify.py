"""`qualify`: has a build passed everywhere that matters?"""

import asyncio
import sys
from enum import StrEnum
from typing import Annotated

import typer

from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.output import console, print_names
from controller.cli.qualify_text import markdown, table_lines
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import print_lines
from controller.cli.telling import duration, print_view, say, say_partial, say_trouble
from controller.inspection.deployments import inspecting
from controller.inspection.qualifying import Answer, Qualifying, until_decided
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE, REGISTRY, REGISTRY_AUTH
from controller.views.build import PASSED


class Form(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    NAME = "name"
    MARKDOWN = "markdown"


@takes(*OF_THE_CLUSTER, *OF_THE_STORE, REGISTRY, REGISTRY_AUTH)
def qualify(
    *,
    build: Annotated[
        str,
        typer.Argument(
            help="such as v1.14.1, a commit or a digest",
            metavar="TAG|VERSION|COMMIT|DIGEST",
            autocompletion=completion.builds,
        ),
    ],
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            help="a target on which it must have passed; repeatable (default: every target that a"
            " labelled Deployment has)",
            metavar="TARGET",
            autocompletion=completion.targets,
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="until it has passed everywhere, or failed anywhere")
    ] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="of --wait, such as 12h", metavar="DURATION")
    ] = None,
    flags: Flags,
    output: Annotated[
        Form,
        typer.Option(
            "--output", "-o", help="table, wide, json, name or markdown", show_default=True
        ),
    ] = Form.TABLE,
) -> None:
    """Say whether a build, or one of the same commit, has passed on every target.

    Exits with 0 only if it has passed on all; with 1 if it failed on one or is not tested on each;
    with 3 if nothing is known of it.

    bootstrap-controller qualify v1.14.1 --store redis://localhost:6379

    bootstrap-controller qualify v1.14.1 --require mainnet-full-sync --wait --timeout 12d
    """
    if timeout is not None and not wait:
        raise Fault("--timeout is the time that --wait waits: write both")
    required = [name for each in require or () for name in each.split(",") if name]
    longest = None if timeout is None else duration("--timeout", timeout)
    answer, timed_out = asyncio.run(_ask(build, required, flags, wait, longest))
    raise typer.Exit(tell_answer(build, answer, output, timed_out))


async def _ask(
    word: str, required: list[str], flags: Flags, wait: bool, longest: float | None
) -> tuple[Answer, bool]:
    """The answer, and whether the time was over before one was decided."""
    around = surroundings()
    async with inspecting(reading_settings(flags), around) as inspection:
        question = Qualifying(inspection, word, required)
        if not wait:
            return await question.answer(), False
        return await until_decided(question, around.clock, longest, say_change)


def tell_answer(word: str, answer: Answer, output: Form, timed_out: bool) -> int:
    for said in answer.said:
        say(shown(said, 800), err=True)
    say_trouble(answer.trouble)
    say_partial(answer.partial)
    found = answer.qualification
    if found is None:
        _not_known(word, answer)
        return NOTHING_FOUND
    if not found.targets:
        say("no labelled Deployment is here: see -n and -A, or --require", err=True)
        return NOTHING_FOUND
    if output is Form.JSON:
        print_view(found)
    elif output is Form.NAME:
        print_names(each.target for each in found.targets)
    elif output is Form.MARKDOWN:
        sys.stdout.write(markdown(found))
    else:
        out, wide = console(), output is Form.WIDE
        width = None if wide or not out.is_terminal else out.width
        print_lines(out, table_lines(found, width, wide=wide))
    if timed_out:
        say("the time of --timeout was over before it was decided", err=True)
    return DONE if found.verdict == PASSED else FAILED


def _not_known(word: str, answer: Answer) -> None:
    what = f"nothing is known of '{shown(word, 80)}'"
    if answer.missing:
        what = f"nobody tests or has tested {shown(', '.join(answer.missing), 200)}"
    close = f": there are {shown(', '.join(answer.nearest), 400)}" if answer.nearest else ""
    say(f"{what}{close}", err=True)


def say_change(sentence: str) -> None:
    say(shown(sentence, 800), err=True)
