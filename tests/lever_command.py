"""The levers' commands as a person types them, in a process of their own."""

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from tests.commands import without_server


class Said(NamedTuple):
    code: int
    out: str
    err: str  # without the line that names the API server


async def command(kubeconfig: Path, *words: str) -> Said:
    """As the user `jane`, in an environment that sets nothing else of ours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "controller",
        *words,
        f"--kubeconfig={kubeconfig}",
        env={"USER": "jane", "HOME": str(kubeconfig.parent)},
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), without_server(err.decode())[0])
