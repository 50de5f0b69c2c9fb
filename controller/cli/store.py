"""`store gc` and `store rebuild`: looking after the store."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from controller.base.errors import Fault
from controller.base.text import shown
from controller.cli.exit_codes import DONE, FAILED
from controller.cli.flags import Flags, takes
from controller.cli.output import Format, Output, console, print_json, print_names, width_for
from controller.cli.surroundings import reading_settings, surroundings
from controller.cli.tables import Column, lines_of, print_lines
from controller.inspection.store_rebuild import Rebuilt, rebuild_store
from controller.inspection.store_sweep import Found, sweeping
from controller.settings.options import CLUSTER_NAMESPACE, OF_THE_CLUSTER, OF_THE_STORE
from store.leftovers import EXPIRING, Kind, Leftover

_NOTHING = "nothing is left over: all that the store keeps may be needed"
_NAMES = 5  # of each kind in the table

_WHAT = {
    Kind.COPY: "copies of the records of Deployments that are gone",
    Kind.TAG: "tags for which no registry has answered in 30 days",
    Kind.TRANSITION: "transitions that stand in no history",
    Kind.RUN: "runs that would be kept for ever: kept for 400 days from now",
    Kind.EVIDENCE: "evidence that would be kept for ever: kept for 30 days from now",
}

DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be done")]


@takes(*OF_THE_CLUSTER, CLUSTER_NAMESPACE, *OF_THE_STORE)
def gc(
    *,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    flags: Flags,
    output: Output = Format.TABLE,
) -> None:
    """Remove from the store what nobody needs any more; never a claim, and no history. A controller
    may run meanwhile.
    """
    asks = not dry_run and not yes
    if asks and (output is not Format.TABLE or not sys.stdin.isatty()):
        raise Fault("nobody can be asked here: write --yes, or --dry-run to see what would go")
    raise typer.Exit(asyncio.run(_gc(flags, output, dry_run=dry_run, asks=asks)))


async def _gc(flags: Flags, output: Format, *, dry_run: bool, asks: bool) -> int:
    async with sweeping(reading_settings(flags), surroundings()) as sweep:
        found = await sweep.find()
        people = output.for_people
        if people:
            _tell_found(found, output)
        if people and (dry_run or not found.leftovers):
            return DONE
        if asks and not await asyncio.to_thread(_agreed, len(found.leftovers)):
            typer.echo("nothing was removed", err=True)
            return FAILED
        cleared = [] if dry_run else [each async for each in sweep.clear(found.leftovers)]
    left = len(found.leftovers) - len(cleared)
    if output is Format.JSON:
        print_json(_values(found, cleared, dry_run=dry_run))
    elif output is Format.NAME:
        print_names(
            f"{each.kind}/{each.name}" for each in (found.leftovers if dry_run else cleared)
        )
    else:
        typer.echo(f"{len(cleared)} cleared")
        if left:
            typer.echo(f"{left} stay: they are needed again, or were gone already", err=True)
    return DONE


def _agreed(count: int) -> bool:
    return typer.confirm(f"Clear these {count}?")


def _of_kinds(leftovers: Sequence[Leftover]) -> list[tuple[Kind, list[Leftover]]]:
    kinds = [(kind, [each for each in leftovers if each.kind is kind]) for kind in Kind]
    return [(kind, some) for kind, some in kinds if some]


def _bytes(some: Sequence[Leftover]) -> int | None:
    sizes = [each.size for each in some if each.size is not None]
    return sum(sizes) if sizes else None


def _tell_found(found: Found, output: Format) -> None:
    for kept in found.kept:
        typer.echo(f"stays: the copy of {kept.name} {shown(kept.why, 300)}", err=True)
    if not found.leftovers:
        return typer.echo(_NOTHING)
    columns = (
        Column("KIND"),
        Column("COUNT"),
        Column("BYTES", drop=2),
        Column("WHAT", sentence=True),
    )
    rows = []
    for kind, some in _of_kinds(found.leftovers):
        size, most = _bytes(some), len(some) if output is Format.WIDE else _NAMES
        names = ", ".join(each.name for each in some[:most])
        more = f" and {len(some) - most} more" if len(some) > most else ""
        what = f"{_WHAT[kind]}: {names}{more}"
        rows.append((str(kind), str(len(some)), "" if size is None else str(size), what))
    out = console()
    return print_lines(out, lines_of(columns, rows, width_for(output, out)))


def _values(found: Found, cleared: Sequence[Leftover], *, dry_run: bool) -> dict[str, object]:
    done = Counter(each.kind for each in cleared)
    return {
        "dry_run": dry_run,
        "found": [
            {
                "kind": kind,
                "becomes": "expiring" if kind in EXPIRING else "removed",
                "count": len(some),
                "bytes": _bytes(some),
                "cleared": done[kind],
                "names": [each.name for each in some],
            }
            for kind, some in _of_kinds(found.leftovers)
        ],
        "kept": [{"name": kept.name, "why": kept.why} for kept in found.kept],
    }


@takes(*OF_THE_CLUSTER, CLUSTER_NAMESPACE, *OF_THE_STORE)
def rebuild(*, dry_run: DryRun = False, flags: Flags, output: Output = Format.TABLE) -> None:
    """Fill an empty store, or one that has lost something, from the records of the Deployments,
    while no controller runs: a controller does it by itself. Nothing in it is replaced.
    """
    settings = reading_settings(flags)
    told = asyncio.run(rebuild_store(settings, surroundings(), dry_run=dry_run))
    if output is Format.JSON:
        print_json(told)
    elif output is Format.NAME:
        print_names(told.deployments)
    else:
        _tell_rebuilt(told, output)
    raise typer.Exit(DONE)


def _tell_rebuilt(told: Rebuilt, output: Format) -> None:
    columns = (Column("WHAT"), Column("BROUGHT"), Column("OF", drop=1))
    rows = [
        ("claims", str(told.claims), str(told.claims_proved)),
        ("copies of records", str(told.copies), str(len(told.deployments))),
        ("runs", str(told.runs), str(told.runs_known)),
        ("transitions", str(told.transitions), str(told.transitions_known)),
    ]
    out = console()
    print_lines(out, lines_of(columns, rows, width_for(output, out)))
    for sentence in told.said:
        typer.echo(sentence, err=True)
