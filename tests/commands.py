"""`python -m controller` as a person runs it: a process of its own."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[1]
LIMIT = 250.0  # seconds; a hard limit for a loaded machine


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return orjson.loads(self.out)


async def command(*words: str, **environ: str) -> Finished:
    """Runs to its end. Whatever it prints, a traceback is a failure."""
    async with running(*words, **environ) as process:
        async with asyncio.timeout(LIMIT):
            out, err = await process.communicate()
        finished = Finished(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in finished.out + finished.err, finished.err
    return finished


@asynccontextmanager
async def running(*words: str, **environ: str) -> AsyncIterator[Process]:
    """Runs while the block does; what is left then is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "controller",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "COLUMNS": "300", **environ},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()
