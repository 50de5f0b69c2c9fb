"""Whole processes, as a person waits for them: from exec to their end."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence


def seconds(command: Sequence[str], environ: Mapping[str, str], rounds: int) -> list[float]:
    """The wall time of each round. The first, which warms files and caches up, is not among them.
    Raises CalledProcessError for one that fails: what fails is quick.
    """
    return [_once(command, environ) for _ in range(rounds + 1)][1:]


def _once(command: Sequence[str], environ: Mapping[str, str]) -> float:
    with tempfile.TemporaryFile() as error:
        begin = time.perf_counter()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=error,
            env={**os.environ, **environ},
            check=False,
        )
        lasted = time.perf_counter() - begin
        error.seek(0)
        if done.returncode:
            told = error.read()[-2000:].decode(errors="replace")
            raise subprocess.CalledProcessError(done.returncode, list(command), stderr=told)
    return lasted
