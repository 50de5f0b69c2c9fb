"""`explain-log`: what the controller would say of a node that ended, from its log."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli.exit_codes import DONE, NOTHING_FOUND
from controller.cli.output import Format, Output, console, print_json, print_names
from controller.domain.node_log.lines import LONGEST
from controller.inspection.log_explanation import LogExplanation, explain_log

STDIN = "-"
_OOM_KILLED = "OOMKilled"
_CHUNK = 1 << 20  # bytes that are read at a time


def explain_log_command(
    file: Annotated[
        str, typer.Argument(help="a log, whole or its end; - is standard input", metavar="[FILE|-]")
    ] = STDIN,
    exit_code: Annotated[
        int | None,
        typer.Option("--exit-code", help="of the node, where it is known", min=0, max=255),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="of its container's end, such as OOMKilled")
    ] = "",
    output: Output = Format.TABLE,
) -> None:
    """Say why a node ended, on which side the fault is, and where: from its log, whole or cut.

    For example: kubectl logs NAME --previous -c node | bootstrap-controller explain-log
    """
    if file == STDIN and sys.stdin.isatty():
        raise Fault("no log is given: write the name of a file, or pipe one in")
    lines = _Counted(_opened(file))
    found = explain_log(lines, exit_code, oom_killed=reason == _OOM_KILLED)
    if not lines.any and reason != _OOM_KILLED:
        typer.echo(f"there is nothing in {_name(file)}", err=True)
        raise typer.Exit(NOTHING_FOUND)
    if output is Format.JSON:
        print_json(found.as_dict())
    elif output is Format.NAME:
        print_names([found.reason or "none"])
    else:
        _print(found)
    raise typer.Exit(DONE)


class _Counted:
    """Lines of a stream of bytes, each bounded, however long stream and lines are."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self.any = False  # one of them has something in it

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            self.any = self.any or bool(raw.strip())
            yield raw.decode(errors="replace")


def _opened(file: str) -> Iterator[bytes]:
    """Raises Fault."""
    try:
        if file == STDIN:
            yield from _lines(sys.stdin.buffer)
            return
        with Path(file).open("rb") as log:
            yield from _lines(log)
    except OSError as error:
        raise Fault(f"{_name(file)} cannot be read: {error.strerror or 'unreadable'}") from error
    except ValueError as error:  # a name with a null in it
        raise Fault(f"{_name(file)} is not the name of a file") from error


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    kept = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (kept + chunk).split(b"\n")
        for line in whole:
            yield line[:LONGEST]
        kept = rest[:LONGEST]  # the rest of a line as long as that is not looked at
    if kept:
        yield kept


def _name(file: str) -> str:
    return "standard input" if file == STDIN else shown(file)


def _print(found: LogExplanation) -> None:
    out = console()
    rows = (
        ("reason", found.reason or "none"),
        ("class", found.whose or "no failure"),
        ("sentence", found.sentence),
        *found.place,
        ("line", found.line),
    )
    for name, text in rows:
        if text:
            out.print(
                f"{name + ':':<10}{shown(text, 600)}", markup=False, highlight=False, soft_wrap=True
            )
