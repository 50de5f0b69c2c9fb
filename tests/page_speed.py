"""How long page and commands take over many runs: `python -m tests.page_speed` fills a real Redis
with 10,000 of them, beside a controller that works on a simulated cluster, and prints the medians.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from statistics import median

from controller.domain import names
from controller.domain.record.record import decode_record
from controller.simulator.world import NAMESPACE
from store import open_store
from tests.many_runs import BEGIN, EVERY, build, commit, index, remember, run_of, version
from tests.memory_stage import Case, Stage, staged
from tests.redis_servers import free_port


async def fill(stage: Stage, store_url: str, deployments: Sequence[str], runs: int) -> list[str]:
    """The targets, each with its part of the runs, which were before those of the stage."""
    targets = []
    for name in deployments:
        text = stage.world.deployment(name)["metadata"]["annotations"][names.RECORD]
        targets += [decode_record(text, NAMESPACE, name).outcomes[-1].target]
    store = await open_store(store_url)
    try:
        for position, target in enumerate(targets):
            await remember(store, target, range(position, runs, len(targets)))
    finally:
        await store.close()
    return targets


def paths(target: str, number: int, newest: int) -> tuple[str, ...]:
    """number: of an old run on the target."""
    last = run_of(newest)
    pages = ("/", f"/targets/{target}", f"/runs/{target}/{run_of(number)}", "/builds",
             f"/builds?before={BEGIN + number * EVERY!r}~", f"/builds/{build(number)}",
             f"/builds/{index(number)}")  # fmt: skip
    api = ("/deployments", "/targets", f"/targets/{target}?before={last}", "/builds",
           f"/builds/{build(number)}", "/history", "/polls")  # fmt: skip
    return (*pages, *(f"/api/v1{path}" for path in api))


def commands(target: str, number: int) -> tuple[tuple[str, ...], ...]:
    return (
        ("--version",),
        ("status",),
        ("history",),
        ("history", "--build", build(number)[:19]),
        ("history", "--version", version(number)),
        ("stats", target),
        ("show", run_of(number)),
        ("builds",),
        ("builds", f"v{version(number)}"),
        ("builds", build(number)),
        ("qualify", f"v{version(number)}"),
        ("qualify", commit(number)),
        ("qualify", build(number)),
    )


async def median_of(times: int, work: Callable[[], Awaitable[str]]) -> tuple[float, str]:
    """Seconds, and what came of the last time."""
    taken, said = [], ""
    for _ in range(times):
        begin = time.perf_counter()
        said = await work()
        taken.append(time.perf_counter() - begin)
    return median(taken), said


async def measure(runs: int, count: int, times: int) -> None:
    port = free_port()
    page = f"127.0.0.1:{port}"
    deployments = [f"node-{number}" for number in range(count)]
    case = Case("", redis=True, deployments=count, in_cluster=False, page=page)
    async with staged(case, deployments) as stage:
        await stage.until(deployments, lambda record: bool(record.outcomes))
        place = stage.command[stage.command.index("--store") + 1]
        target, *_ = await fill(stage, place, deployments, runs)
        number, newest = runs // 2 // count * count, (runs - 1) // count * count
        print(f"{runs} runs on {count} targets; medians of {times}, in milliseconds")  # noqa: T201

        async def request(path: str) -> str:
            async with stage.session.get(f"http://{page}{path}") as reply:
                body = await reply.read()
                return f"{reply.status}, {len(body) // 1024} KB"

        async def command(words: Sequence[str]) -> str:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "controller", *words, *(_flags(stage, words[0])),
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                env=stage.environ,
            )  # fmt: skip
            return f"exit code {await process.wait()}"

        for path in paths(target, number, newest):
            row(path, *await median_of(times, partial(request, path)))
        for words in commands(target, number):
            row(" ".join(words), *await median_of(times, partial(command, words)))


def _flags(stage: Stage, command: str) -> list[str]:
    """Those of the stage's controller that a command takes too."""
    taken = ["--store", "--kubeconfig", *(["--registry"] if command == "qualify" else [])]
    places = [stage.command.index(flag) for flag in taken if command != "--version"]
    return [word for at in places for word in stage.command[at : at + 2]]


def row(name: str, seconds: float, said: str) -> None:
    short = name if len(name) < 60 else f"{name[:56]}..."
    print(f"{short:<60}{seconds * 1000:>8.0f}  {said}", flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description="How long page and commands take over many runs.")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--targets", type=int, default=4)
    parser.add_argument("--times", type=int, default=5, help="that each is asked")
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.runs, chosen.targets, chosen.times))


if __name__ == "__main__":
    main()
