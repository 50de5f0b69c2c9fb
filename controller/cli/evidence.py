"""`evidence`: what was kept of a run when it ended, as a tar file."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from controller.base.errors import Fault, Refused
from controller.base.text import shown
from controller.cli import completion
from controller.cli.exit_codes import NOTHING_FOUND
from controller.cli.flags import Flags, takes
from controller.cli.surroundings import reading_settings, surroundings
from controller.engine.evidence.parts import ALL_READ, UNREAD
from controller.inspection.evidence import Evidence, Nothing, find_evidence, parse_wanted
from controller.inspection.evidence_tar import tar_of
from controller.settings.options import OF_THE_CLUSTER, OF_THE_STORE

STDOUT = "-"


@takes(*OF_THE_CLUSTER, *OF_THE_STORE)
def evidence(
    *,
    run: Annotated[
        str,
        typer.Argument(
            help="the run's id, as `history` shows it; or a Deployment, for the last run of it that"
            " failed (for its last, if none did)",
            metavar="[TARGET/]RUN|NAME",
            autocompletion=completion.runs,
        ),
    ],
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            help="where to write; - is standard output (default evidence-RUN.tar, here)",
            metavar="PATH",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
    flags: Flags,
) -> None:
    """Write what was kept of a run when it ended (logs, pods, Events, health) as a tar file."""
    wanted = parse_wanted(run)
    place = file or (_place(wanted.run) if wanted else "")
    if place:
        _check(place, force)
    found = asyncio.run(find_evidence(reading_settings(flags), surroundings(), run))
    if isinstance(found, Nothing):
        typer.echo(found.why, err=True)
        raise typer.Exit(NOTHING_FOUND)
    if not place:
        place = _place(found.run)
        _check(place, force)
    _write(place, tar_of(found), force)
    typer.echo(_line(place, found), err=place == STDOUT)


def _place(run: str) -> str:
    return f"evidence-{run}.tar"


def _check(place: str, force: bool) -> None:
    """What can be said before anything is asked. Raises Fault."""
    if place == STDOUT:
        if sys.stdout.isatty():
            raise Fault("a tar file is nothing for a terminal: write --file PATH, or pipe it on")
    elif os.path.isdir(place):
        raise Fault(f"{shown(place)} is a folder: write the name of a file in it")
    elif os.path.lexists(place) and not force:
        raise _is_there(place)


def _is_there(place: str) -> Fault:
    return Fault(f"{shown(place)} is there already: name another --file, or replace it by --force")


def _write(place: str, tar: bytes, force: bool) -> None:
    """Raises Fault and Refused. A file that could not be written whole is taken away again."""
    try:
        if place == STDOUT:
            # a stream of our own: what a closed pipe leaves in it is not tried again at the end
            with open(sys.stdout.fileno(), "wb", closefd=False) as out:
                out.write(tar)
            return
        with Path(place).open("wb" if force else "xb") as out:
            try:
                out.write(tar)
                out.flush()
            except OSError:
                Path(place).unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise _is_there(place) from None
    except OSError as error:
        where = "standard output" if place == STDOUT else shown(place)
        raise Refused(f"{where} cannot be written: {error.strerror or error}") from error


def _line(place: str, found: Evidence) -> str:
    e = found.ending
    size = sum(len(part) for part in found.parts.values())
    names = ", ".join(sorted(found.parts))
    where = "" if place == STDOUT else f"{place}: "
    whole = found.parts.get(UNREAD, b"").decode(errors="replace").strip() in ("", ALL_READ)
    rest = "" if whole else f"; {UNREAD} says what could not be read"
    how = f"{e.phase} ({e.reason}): {e.message}" if e.phase else "how it ended is not known"
    return shown(f"{where}{names} ({size} bytes{rest}); run {found.target}/{found.run} {how}", 2000)
