"""`status -w`: the same picture again and again, in place on a terminal."""

from collections.abc import Callable, Sequence

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from controller.cli.output import Format, console, print_json, print_names, width_for
from controller.cli.room import fitting
from controller.cli.status_look import Seen, ask_beside, look
from controller.cli.status_table import table_lines
from controller.cli.tables import print_lines
from controller.inspection.deployments import Inspection
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from controller.views.deployment import DeploymentView

FRAME = 1.0  # seconds between two pictures
BESIDE = 10  # pictures after which store and Lease are asked again


async def watch(
    inspection: Inspection,
    settings: Settings,
    around: Surroundings,
    wanted: Sequence[str],
    output: Format,
) -> None:
    """Until it is cancelled."""
    out = console()
    if out.is_terminal and output.for_people:
        with Live(console=out, auto_refresh=False, vertical_overflow="ellipsis") as live:

            def draw(seen: Seen) -> None:
                room = out.height - 2 - len(seen.complaints)  # the heading, and the cursor's
                views = fitting(seen.views, out.width, room)
                lines = table(views, around, output, width_for(output, out))
                said = [Text(complaint, style="yellow") for complaint in seen.complaints]
                live.update(Group(*lines, *said), refresh=True)

            await _looking(inspection, settings, around, wanted, draw)
    await _looking(inspection, settings, around, wanted, _Changes(around, output).tell)


async def _looking(
    inspection: Inspection,
    settings: Settings,
    around: Surroundings,
    wanted: Sequence[str],
    show: Callable[[Seen], None],
) -> None:
    while True:
        beside = await ask_beside(inspection, settings, around, wanted)
        for _ in range(BESIDE):
            show(look(inspection, wanted, beside))
            await around.clock.sleep(FRAME)


def table(
    views: Sequence[DeploymentView], around: Surroundings, output: Format, width: int | None
) -> list[Text]:
    """The lines of the table."""
    now, wide = around.clock.now().timestamp(), output is Format.WIDE
    return table_lines(views, now, width, wide=wide)


class _Changes:
    """For a pipe: at first all, then whatever has changed."""

    def __init__(self, around: Surroundings, output: Format) -> None:
        self._around = around
        self._output = output
        self._shown: dict[str, DeploymentView] = {}
        self._said: list[str] = []

    def tell(self, seen: Seen) -> None:
        for complaint in seen.complaints:
            if complaint not in self._said:
                typer.echo(complaint, err=True)
        self._said = seen.complaints
        new = [view for view in seen.views if self._shown.get(view.deployment) != view]
        if not new:
            return
        headed = not self._shown
        self._shown |= {view.deployment: view for view in new}
        if self._output is Format.JSON:
            print_json(new)
        elif self._output is Format.NAME:
            print_names(view.deployment for view in new)
        else:
            lines = table(new, self._around, self._output, None)
            print_lines(console(), lines if headed else lines[1:])
        print(end="", flush=True)
