"""The simulator's init container that is the real one: prepare-data.sh, run by bash."""

import asyncio
import os
from pathlib import Path
from weakref import WeakKeyDictionary

from controller.simulator.workloads.initcontainer import READY, InitCall, InitExit
from controller.simulator.workloads.volumes import RunDirectory, Volume
from tests.volume import SCRIPT, STAND_IN, marker_of, runs_in
from tests.volume import Volume as Disk


class ScriptInit:
    """See `InitContainer`. Each simulated volume gets a folder on this machine; what the script
    does there is told to the simulated one.

    folder: for all of it. log: every line that any of them wrote.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._disks: WeakKeyDictionary[Volume, Disk] = WeakKeyDictionary()
        self.log: list[str] = []

    def disk(self, volume: Volume) -> Disk:
        if volume not in self._disks:
            self._disks[volume] = Disk(self._folder / f"volume-{len(self._disks)}")
        return self._disks[volume]

    def _binary(self, name: str) -> Path:
        """A stand-in avalanchego, another one for each build."""
        path = self._folder / f"avalanchego-{name}"
        if not path.exists():
            path.write_text(f"{STAND_IN.read_text()}# {name}\n")
            path.chmod(0o755)
        return path

    async def prepare(self, call: InitCall) -> InitExit:
        message = self._folder / f"termination-{id(call)}"
        starting = asyncio.ensure_future(self._start(call, message))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            await _end(await starting)
            raise
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                call.say(line.decode().rstrip())
                self.log.append(line.decode().rstrip())
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if code == READY:
            self._tell(call)
        return InitExit(code, message.read_text() if message.exists() else "")

    async def _start(self, call: InitCall, message: Path) -> asyncio.subprocess.Process:
        disk = self.disk(call.volume)
        return await asyncio.create_subprocess_exec(
            "bash",
            str(SCRIPT),
            env={
                "PATH": os.environ["PATH"],
                "RUN_ID": call.environment.get("RUN_ID", ""),
                "DATA_ROOT": str(disk.data),
                "AVAGO_BINARY": str(self._binary(call.binary)),
                "TERMINATION_LOG": str(message),
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def _tell(self, call: InitCall) -> None:
        """Makes the simulated volume what the disk is."""
        volume, run = call.volume, call.environment["RUN_ID"]
        tree = self.disk(volume).tree()
        for gone in volume.runs.keys() - runs_in(tree):
            del volume.runs[gone]
            volume.tell(f"removed {gone}")
        marker = marker_of(tree, run)
        assert marker is not None, "the node would start without a marker"
        if run not in volume.runs:
            volume.runs[run] = RunDirectory(binary=call.binary)
            volume.tell(f"began {run}")
        elif marker["resumes"] > volume.runs[run].resumes:
            volume.tell(f"resumed {run}")
        volume.runs[run].resumes = int(str(marker["resumes"]))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.communicate()
