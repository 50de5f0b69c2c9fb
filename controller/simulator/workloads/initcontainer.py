"""The init container that prepares a run's data: the seam, and a stand-in in Python.

The stand-in has the meaning of `k8s/targets/base/prepare-data.sh` and none of its care for disks:
what the script does when it is killed half-way is the script's own tests' matter. Whoever has a
bash can run the script itself behind the same protocol.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson

from controller.domain.run import run_time
from controller.simulator.workloads.volumes import RunDirectory, Volume

READY, VOLUME_FAULT, MANIFEST_FAULT, FOREIGN = 0, 1, 2, 3  # exit codes of prepare-data.sh


@dataclass(frozen=True)
class InitCall:
    """What the container is started with."""

    environment: Mapping[str, str]
    volume: Volume
    binary: str  # hash of the image's avalanchego
    say: Callable[[str], None]  # a line of its log


@dataclass(frozen=True)
class InitExit:
    code: int
    message: str = ""  # the termination message; empty for none


class InitContainer(Protocol):
    """Prepares `/data/runs/<run id>`, or waits. Cancelled: it was told to stop."""

    async def prepare(self, call: InitCall) -> InitExit: ...


class PreparesData:
    """The stand-in (README.md, "A target")."""

    async def prepare(self, call: InitCall) -> InitExit:
        run, volume = call.environment.get("RUN_ID", ""), call.volume
        if not run:
            call.say("waiting: no run id yet")
        while not run:  # a template with a run id makes another pod: this one never goes on
            await volume.changed()
        try:
            run_time(run)
        except ValueError:
            return self._fail(MANIFEST_FAULT, run, f"not a run id: {run[:80]}")
        if volume.fault:
            call.say(volume.fault)
            return self._fail(VOLUME_FAULT, run, volume.fault)
        while newer := max((name for name in volume.runs if name > run), default=""):
            call.say(f"waiting: the volume holds the newer run {newer}; this pod is of {run}")
            await volume.changed()
        own = volume.runs.get(run)
        if own is not None and own.complete and own.binary != call.binary:
            call.say(f"the data of {run} was started by binary {own.binary}")
            return self._tell(FOREIGN, run, "foreign", own.resumes, call.binary)
        for older in sorted(name for name in volume.runs if name < run):
            call.say(f"removing {older}")
            del volume.runs[older]
            volume.tell(f"removed {older}")
        if own is not None and own.complete:
            own.resumes += 1
            volume.tell(f"resumed {run}")
            return self._tell(READY, run, "resumed", own.resumes, call.binary)
        volume.runs[run] = RunDirectory(binary=call.binary)
        volume.tell(f"began {run}")
        return self._tell(READY, run, "fresh", 0, call.binary)

    @staticmethod
    def _fail(code: int, run: str, error: str) -> InitExit:
        return InitExit(code, orjson.dumps({"run": run[:80], "error": error}).decode())

    @staticmethod
    def _tell(code: int, run: str, data: str, resumes: int, binary: str) -> InitExit:
        word = {"run": run, "data": data, "resumes": resumes, "binary": binary}
        return InitExit(code, orjson.dumps(word).decode() + "\n")
