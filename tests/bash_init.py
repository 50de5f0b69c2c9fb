"""The simulator's init container played by the real thing: `prepare-data.sh`, run by bash on a real
folder for each volume, with a stand-in for the avalanchego binary.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from controller.simulator.workloads.initcontainer import CLOCKS_DIFFER, InitCall, InitExit
from controller.simulator.workloads.volumes import RunDirectory, Volume

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "k8s" / "targets" / "base" / "prepare-data.sh"
STAND_IN = REPOSITORY / "tests" / "stand_in_avalanchego.sh"
MARKER = ".bootstrap-run.json"

Tree = dict[str, str]


@dataclass
class ScriptRun:
    """One execution of the script."""

    run: str  # the run's id
    binary: str  # hash of the image's avalanchego
    lines: list[str] = field(default_factory=list)  # of its log
    code: int | None = None  # None while it runs, and when it was told to stop
    told_to_stop: int | None = None  # the code that it answered SIGTERM with; None: it was not
    word: str = ""  # its termination message

    @property
    def data(self) -> str:
        """`fresh`, `resumed` or `foreign`, or empty if it has not said so."""
        return str(json.loads(self.word).get("data", "")) if self.word else ""

    @property
    def over(self) -> bool:
        return self.code is not None or self.told_to_stop is not None

    def waits(self, why: str) -> bool:
        return any("waiting: " in line and why in line for line in self.lines)


class BashInit:
    """An `InitContainer`. What the script did to the folder is told to the simulated volume when it
    has ended, so that the simulated node finds its progress where the script left it.

    executions: every one so far, oldest first. told: called whenever one of them said something.
    """

    def __init__(self, folder: Path, told: Callable[[], None] = lambda: None) -> None:
        self.executions: list[ScriptRun] = []
        self._told = told
        self._folder = folder
        self._roots: WeakKeyDictionary[Volume, Path] = WeakKeyDictionary()

    def root(self, volume: Volume) -> Path:
        """What the script sees as /data."""
        if volume not in self._roots:
            path = self._folder / f"volume-{len(self._roots)}"
            path.mkdir()
            self._roots[volume] = path
        return self._roots[volume]

    def tree(self, volume: Volume) -> Tree:
        """Every file on the volume, with its content. What a script takes away meanwhile is left
        out.
        """
        root, found = self.root(volume), {}
        for folder, _, files in os.walk(root):
            for path in (Path(folder) / name for name in files):
                with contextlib.suppress(FileNotFoundError):
                    found[str(path.relative_to(root))] = path.read_text()
        return found

    def node_works(self, volume: Volume, run: str) -> None:
        """Leaves in a run's directory what a node writes; whose it is stands in the file."""
        path = self.root(volume) / "runs" / run / "db" / "000001.ldb"
        path.parent.mkdir()
        path.write_text(f"written in {run}")

    async def prepare(self, call: InitCall) -> InitExit:
        execution = ScriptRun(call.environment.get("RUN_ID", ""), call.binary)
        self.executions.append(execution)
        message = self._folder / f"termination-log-{len(self.executions)}"
        message.touch()  # as a kubelet mounts it: an empty file
        process = await asyncio.create_subprocess_exec(
            "bash",
            str(SCRIPT),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # as a container is: whatever it started can be ended with it
            env={
                "PATH": f"{self._tools()}:{os.environ['PATH']}",
                "RUN_ID": execution.run,
                "POD_NAME": call.environment.get("POD_NAME", ""),
                "POD_NAMESPACE": call.environment.get("POD_NAMESPACE", ""),
                "LATEST": f"{call.now() + CLOCKS_DIFFER:%Y%m%dt%H%M%Sz}",
                "DATA_ROOT": str(self.root(call.volume)),
                "AVAGO_BINARY": str(self._binary(call.binary)),
                "TERMINATION_LOG": str(message),
            },
        )
        try:
            code = await self._finished(process, call, execution)
            execution.word = message.read_text()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            execution.told_to_stop = await self._finished(process, call, execution)
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            self._mirror(call, execution)
            self._told()
        execution.code = code
        return InitExit(code, execution.word)

    async def _finished(
        self, process: asyncio.subprocess.Process, call: InitCall, execution: ScriptRun
    ) -> int:
        """Reads what it says to its end; its exit code."""
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode().rstrip("\n")
            execution.lines.append(text)
            call.say(text)
            self._told()
        return await process.wait()

    def _tools(self) -> Path:
        """Programs ahead of the machine's: the time is the simulated machine's."""
        folder = self._folder / "tools"
        if not folder.exists():
            folder.mkdir()
            (folder / "date").write_text('#!/bin/bash\necho "$LATEST"\n')
            (folder / "date").chmod(0o755)
        return folder

    def _binary(self, build: str) -> Path:
        """Another file for each build, so another hash; the same behaviour."""
        path = self._folder / f"avalanchego-{build[:16]}"
        if not path.exists():
            path.write_text(f"{STAND_IN.read_text()}# build {build}\n")
            path.chmod(0o755)
        return path

    def _mirror(self, call: InitCall, execution: ScriptRun) -> None:
        """Makes the simulated volume what the folder is."""
        volume, runs = call.volume, self.root(call.volume) / "runs"
        there = {path.name for path in runs.iterdir()} if runs.is_dir() else set()
        for gone in sorted(volume.runs.keys() - there):
            del volume.runs[gone]
            volume.tell(f"removed {gone}")
        for name in sorted(there - volume.runs.keys()):
            volume.runs[name] = RunDirectory(complete=False)
        if execution.data not in ("fresh", "resumed"):
            return
        resumes = json.loads((runs / execution.run / MARKER).read_text())["resumes"]
        if execution.data == "fresh":
            volume.runs[execution.run] = RunDirectory(binary=call.binary)
            volume.tell(f"began {execution.run}")
        else:
            volume.runs[execution.run].resumes = resumes
            volume.tell(f"resumed {execution.run}")
