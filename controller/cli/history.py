"""`history`: what became of the builds."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from controller.base.instants import instant
from controller.cli import completion
from controller.cli.exit_codes import DONE, FAILED, NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.history_question import Found, Outcome, Question, ask
from controller.cli.history_table import table_lines
from controller.cli.output import Format, Output, console, print_json, print_names, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import print_lines
from controller.cli.telling import say
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE
from controller.views.history import HistoryLine
from controller.views.paging import PARTIAL
from controller.views.parts import moment

UNTESTED = "nothing has been tested here yet"
_WHEN = "such as 7d (so long ago), 2026-11-20 or 2026-11-20T06:00:00Z"


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def history(
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", help="only this target's", autocompletion=completion.targets),
    ] = None,
    deployment: Annotated[
        str | None,
        typer.Option(
            "--deployment",
            help="only this one's, as [NAMESPACE/]NAME",
            autocompletion=completion.deployments,
        ),
    ] = None,
    build: Annotated[
        str | None,
        typer.Option("--build", help="only of this digest, or of what begins so", metavar="DIGEST"),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="only of builds that say they are this")
    ] = None,
    outcome: Annotated[
        Outcome | None, typer.Option("--outcome", help="only runs that ended so")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help=f"nothing older: {_WHEN}", metavar="TIME")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="only what was before", metavar="TIME")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="at most so many")] = 50,
    outcomes: Annotated[bool, typer.Option("--outcomes", help="only how runs ended")] = False,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Show transitions, newest first: the store's, and those that only the records remember."""
    question = Question(
        target=target,
        deployment=deployment,
        build=build or "",
        version=version or "",
        outcome=outcome,
        since=since or "",
        until=until or "",
        limit=limit,
        outcomes=outcomes,
    )
    found = asyncio.run(ask(question, reading_settings(flags), surroundings()))
    show(found.lines, output, "nothing matches" if question.is_sifted else UNTESTED)
    for sentence in _partial(found, question, output):
        say(sentence, err=True)
    if found.trouble:
        raise typer.Exit(FAILED)
    raise typer.Exit(DONE if found.lines else NOTHING_FOUND)


def _partial(found: Found, question: Question, output: Format) -> list[str]:
    """Why this is not all there is, a sentence each."""
    said = []
    if found.trouble:
        said.append(f"only what the records remember is shown: {found.trouble}")
    if found.cut:
        more = ": --target looks through one target's alone" if question.target is None else ""
        said.append(PARTIAL + more)
    if found.more and output.for_people:
        last = instant(found.lines[-1].at)
        said.append(f"there is more: --limit shows more of it, --until {last} what was before")
    return [*said, *found.hints]


def show(lines: Sequence[HistoryLine], output: Format, nothing: str = UNTESTED) -> None:
    """nothing: the sentence for a person, where there is no line."""
    if output is Format.JSON:
        print_json([{**asdict(line), "at": moment(line.at)} for line in lines])
    elif output is Format.NAME:
        print_names(f"{line.target}/{line.run}" for line in lines if line.run)
    elif lines:
        out = console()
        print_lines(out, table_lines(lines, width_for(output, out)))
    else:
        say(nothing, err=True)
