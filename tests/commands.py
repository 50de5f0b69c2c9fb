"""`python -m controller` as a person runs it: a process of its own, its output and exit code."""

import asyncio
import atexit
import functools
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[1]
LIMIT = 250.0  # seconds; a hard limit for a loaded machine


SERVER = "API server: "  # begins the line of a command that says whom it asks


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str  # without the line that names the API server
    server: str = ""  # which that line names; empty where there is none

    def json(self) -> Any:
        return orjson.loads(self.out)


async def command(*words: str, into: int | None = None, **environ: str) -> Finished:
    """Runs to its end, forked from a process that has imported everything already (see
    tests/command_forker.py). Whatever it prints, a traceback is a failure. into: the descriptor
    that is its standard output; None: what it prints is in what is returned.
    """
    asked = {"words": words, "environ": _environment(environ), "folder": str(ROOT)}
    # In a thread, while which a loop's clock does not jump.
    finished = await asyncio.to_thread(_forked, orjson.dumps(asked), into)
    assert "Traceback" not in finished.out + finished.err, finished.err
    return finished


def _forked(asked: bytes, into: int | None) -> Finished:
    with (
        socket.socket(socket.AF_UNIX) as connection,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        connection.settimeout(LIMIT)
        connection.connect(_forker())
        socket.send_fds(connection, [asked], [out.fileno() if into is None else into, err.fileno()])
        code = int(connection.makefile().readline())
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Finished(code, texts[0], *without_server(texts[1]))


def without_server(err: str) -> tuple[str, str]:
    """What is said besides, and the API server that is named."""
    lines = err.splitlines(keepends=True)
    named = [line.removeprefix(SERVER).strip() for line in lines if line.startswith(SERVER)]
    assert len(named) <= 1, "it is said once"
    return "".join(line for line in lines if not line.startswith(SERVER)), "".join(named)


@functools.cache
def _forker() -> str:
    """The socket of this process's own, which ends with it."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.command_forker", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "HOME": "/nonexistent"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    atexit.register(process.communicate, b"")
    return path


def _environment(environ: dict[str, str]) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "COLUMNS": "300", **environ}


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
        env=_environment(environ),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()
