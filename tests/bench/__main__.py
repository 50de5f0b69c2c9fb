"""The benchmark: `python -m tests.bench` measures everything that the README states of speed,
memory and requests, and prints it as a table. `--quick` shows in a minute that it works.

Each row is measured by a process of its own (`--row NAME`): what one imports, caches or leaves
behind weighs on no other.
"""

import argparse
import asyncio
import contextlib
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from loguru import logger

from tests.bench.figure import Figure, Report, Row, Scale, encode
from tests.bench.machine import machine
from tests.bench.table import text_of
from tests.redis_servers import installed, redis_server

# In the order of the table. Each is a module of `tests.bench.rows` with a coroutine
# `measure(scale) -> Sequence[Figure]`.
ROWS = (
    "watch_throughput", "memory", "first_sync", "reconcile", "reaction", "storm", "idle", "growth",
    "writes", "commands", "years",
)  # fmt: skip
LIMIT = 600  # seconds for a row


def main() -> int:
    chosen = _arguments()
    if chosen.row:
        _measure_here(chosen.row, Scale(chosen.quick, chosen.redis))
        return 0
    rows = tuple(_measured(name, quick=chosen.quick) for name in chosen.only or ROWS)
    report = Report(machine(), chosen.quick, rows)
    print(text_of(report))  # noqa: T201
    if chosen.json:
        Path(chosen.json).write_bytes(encode(report))
    return 1 if any(row.failed for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--redis", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(name: str, *, quick: bool) -> Row:
    """In a process of its own, with a Redis of its own."""
    begin = time.perf_counter()
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)  # noqa: T201
    with _redis() as url:
        command = [sys.executable, "-m", "tests.bench", "--row", name, "--redis", url]
        figures, failed = _asked([*command, "--quick"] if quick else command)
    seconds = time.perf_counter() - begin
    print(failed or f"{seconds:.0f} s", file=sys.stderr, flush=True)  # noqa: T201
    return Row(name.replace("_", " "), figures, round(seconds, 1), failed)


def _asked(command: Sequence[str]) -> tuple[tuple[Figure, ...], str]:
    """Its figures, or why there are none."""
    # As in the image: what malloc has back is given back, whatever was the largest
    environ = dict(os.environ, PYTHONHASHSEED="0", MALLOC_TRIM_THRESHOLD_="131072")
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, env=environ, check=True, timeout=LIMIT
        )
    except subprocess.CalledProcessError as error:
        return (), f"failed with exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        return (), f"took more than {LIMIT} seconds"
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=tuple[Figure, ...]), ""


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    """The URL of a fresh one; empty where no redis-server is installed."""
    if not installed():
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, redis_server(Path(folder)) as it:
        yield it.url


def _measure_here(name: str, scale: Scale) -> None:
    """Prints the figures as the last line."""
    logger.remove()  # as in production, where lines of DEBUG are not made
    logger.add(sys.stderr, level="WARNING")
    measure = importlib.import_module(f"tests.bench.rows.{name}").measure
    figures = asyncio.run(measure(scale))
    print(msgspec.json.encode(tuple(figures)).decode())  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
