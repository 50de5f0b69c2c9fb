"""The pages: what each shows, from the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.page.asked import Asked, place_text
from controller.page.html import Templates
from controller.page.library import Library, OpenRunView
from controller.page.plot import plot_of
from controller.page.words import usual

PLOTTED = 60  # runs of a target's plot and table
BUILDS = 100  # on the page of builds


@dataclass(frozen=True)
class Pages:
    """Each raises NotLeading and Unknown, and BadQuestion for a strange query."""

    templates: Templates

    async def matrix(self, library: Library, asked: Asked, now: datetime) -> str:
        return self.templates.render("matrix.html", **await matrix_values(library, now))

    async def target(self, library: Library, asked: Asked, now: datetime) -> str:
        slug = asked.part("target")
        found = await library.target(slug, PLOTTED + 1, asked.before)
        runs = list(found.runs[:PLOTTED])
        return self.templates.render(
            "target.html",
            now=now,
            library=library,
            target=found,
            runs=runs,
            more=runs[-1].run if len(found.runs) > PLOTTED else "",
            open_runs=await library.open_runs(slug),
            plot=plot_of(runs),
            usual=usual(runs),
        )

    async def run(self, library: Library, asked: Asked, now: datetime) -> str:
        found = await library.run(asked.part("target"), asked.part("run"))
        before = await library.before(found.run, PLOTTED)
        plot = plot_of([found.run, *before])
        return self.templates.render(
            "run.html",
            now=now,
            library=library,
            found=found,
            run=found.run,
            checked=_flat(found.run.checked or {}),
            plot=plot if plot and len(plot.points) > 1 else None,
            usual=usual(before),
        )

    async def builds(self, library: Library, asked: Asked, now: datetime) -> str:
        found = await library.builds(BUILDS, asked.place)
        return self.templates.render(
            "builds.html",
            now=now,
            library=library,
            builds=found.items,
            more=place_text(found.more),
            targets=library.slugs(),
        )

    async def build(self, library: Library, asked: Asked, now: datetime) -> str:
        build = await library.build(asked.part("digest"))
        tested = {each.target: each for each in build.targets}
        return self.templates.render(
            "build.html",
            now=now,
            library=library,
            build=build,
            tested=tested,
            targets=sorted({*tested, *library.slugs()}),
        )


async def matrix_values(library: Library, now: datetime) -> dict[str, object]:
    """What the matrix of targets shows."""
    targets = await library.targets()
    open_runs: list[OpenRunView] = await library.open_runs()
    return {
        "now": now,
        "library": library,
        "deployments": library.deployments(),
        "targets": targets,
        "open_runs": open_runs,
        "polls": await library.polls(),
        "usual": {each.target: usual(list(each.runs)) for each in targets},
    }


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Names and values of what a pass rests on, in lines."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name} ")
        else:
            found.append((f"{prefix}{name}".replace("_", " "), str(value)))
    return found
