"""The matrix and the builds as one file, to be sent or kept: HTML that needs nothing beside it, or
Markdown.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from controller.page.html import Templates, style
from controller.page.library import Library, OpenRunView
from controller.page.pages import BUILDS, PLOTTED, matrix_values
from controller.page.plot import plot_of
from controller.page.words import lasting, short, sign, stamp, usual, version
from controller.views.build import BuildView
from controller.views.run import RunView
from controller.views.statistics import plot_of as bars_of
from controller.views.statistics import statistics_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~])")


async def html_report(library: Library, now: datetime) -> str:
    values = await matrix_values(library, now)
    targets = await library.targets(PLOTTED)
    plots = {each.target: plot for each in targets if (plot := plot_of(each.runs))}
    return Templates().render(
        "report.html",
        **values,
        builds=(await library.builds(BUILDS)).items,
        slugs=library.slugs(),
        plots=plots,
        style=Markup(style()),
    )


async def markdown_report(library: Library, now: datetime) -> str:
    lines = ["# Bootstrap tests", "", f"As of {stamp(now)}.", ""]
    builds = (await library.builds(BUILDS)).items
    open_runs = await library.open_runs()
    lines += ["## Targets", "", *await _targets(library), ""]
    if open_runs:
        lines += ["## Open runs", "", *map(_open, open_runs), ""]
    lines += ["## Builds", "", *_builds(builds, library.slugs())]
    if library.trouble:
        lines[4:4] = [f"**Less is shown than there is:** {text(library.trouble)}", ""]
    return "\n".join(lines) + "\n"


def text(word: str) -> str:
    """What others wrote, as no markup."""
    plain = word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


async def _targets(library: Library) -> list[str]:
    rows = [
        "| target | now | build | last runs, newest first | usual time | passes, oldest first |",
        "|---|---|---|---|---|---|",
    ]
    deployments = library.deployments()
    for target in await library.targets():
        now = ", ".join(d.phase or "unknown" for d in deployments if d.target == target.target)
        newest = next(iter((*target.open, *target.runs)), None)
        boxes = " ".join(sign(run.phase) for run in (*target.open, *target.runs))
        cells = (target.target, now, version(newest) if newest else "", boxes)
        bars = bars_of(statistics_of(target.target, target.runs).durations)
        rows.append(_row(*cells, lasting(usual(list(target.runs))), bars))
    lost = [d for d in deployments if not d.target]
    return rows + [_row(d.deployment, d.phase, "", d.message, "", "") for d in lost]


def _open(each: OpenRunView) -> str:
    run: RunView = each.run
    left = f", about {lasting(each.left.seconds)} left" if each.left and each.left.seconds else ""
    line = f"{run.target}: {version(run)}, {run.phase}{left}, run {run.run}. {run.message}"
    return f"- {text(line)}"


def _builds(builds: Sequence[BuildView], slugs: list[str]) -> list[str]:
    rows = [_row("build", "digest", "seen", *slugs), "|---" * (3 + len(slugs)) + "|"]
    for build in builds:
        on = {each.target: each.state for each in build.targets}
        name = build.version.removeprefix("avalanchego/") or "unknown"
        states = [f"{sign(on[slug])} {on[slug]}" if slug in on else "not seen" for slug in slugs]
        rows.append(_row(name, short(build.build), stamp(build.seen), *states))
    return rows


def _row(*cells: str) -> str:
    return "| " + " | ".join(text(cell) for cell in cells) + " |"
