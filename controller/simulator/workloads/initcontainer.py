"""The init container that prepares a run's data: the seam, and a stand-in in Python.

The stand-in has the meaning of `k8s/targets/base/prepare-data.sh` and none of its care for disks:
what the script does when it is killed half-way is the script's own tests' matter. Whoever has a
bash can run the script itself behind the same protocol.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import orjson

from controller.domain.run import run_time
from controller.simulator.workloads.volumes import RunDirectory, Volume

CLOCKS_DIFFER = timedelta(days=1)  # at most: a run that began later is of the future
READY, VOLUME_FAULT, MANIFEST_FAULT, FOREIGN = 0, 1, 2, 3  # exit codes of prepare-data.sh


_POD_NAME = re.compile(r"(.+)-[a-z0-9]{1,10}-[a-z0-9]{5}")
_LONGEST = 62  # a pod's name; a longer one may have been shortened


@dataclass(frozen=True)
class InitCall:
    """What the container is started with."""

    environment: Mapping[str, str]
    volume: Volume
    binary: str  # hash of the image's avalanchego
    now: Callable[[], datetime]  # by the machine's clock
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
        while newer := _newer(volume, run):
            if fault := _fault(call, run) or _ahead(call, newer):
                return self._fail(VOLUME_FAULT, run, fault)
            call.say(f"waiting: the volume holds the newer run {newer}; this pod is of {run}")
            await volume.changed()
        own = _complete(volume, run)
        if fault := _fault(call, run) or ("" if own else _ahead(call, run)):
            return self._fail(VOLUME_FAULT, run, fault)
        if own is not None and own.binary != call.binary:
            call.say(f"the data of {run} was started by binary {own.binary}")
            return self._tell(FOREIGN, run, "foreign", own.resumes, call.binary)
        for older in sorted(name for name in volume.runs if name < run):
            call.say(f"removing {older}")
            del volume.runs[older]
            volume.tell(f"removed {older}")
        if own is not None:
            own.resumes += 1
            volume.tell(f"resumed {run}")
            return self._tell(READY, run, "resumed", own.resumes, call.binary)
        volume.runs[run] = RunDirectory(call.binary, _deployment(call))
        volume.tell(f"began {run}")
        return self._tell(READY, run, "fresh", 0, call.binary)

    @staticmethod
    def _fail(code: int, run: str, error: str) -> InitExit:
        return InitExit(code, orjson.dumps({"run": run[:80], "error": error}).decode())

    @staticmethod
    def _tell(code: int, run: str, data: str, resumes: int, binary: str) -> InitExit:
        word = {"run": run, "data": data, "resumes": resumes, "binary": binary}
        return InitExit(code, orjson.dumps(word).decode() + "\n")


def _deployment(call: InitCall) -> str:
    """Namespace/name of the pod's Deployment; empty where it cannot be known."""
    name, namespace = (call.environment.get(key, "") for key in ("POD_NAME", "POD_NAMESPACE"))
    match = _POD_NAME.fullmatch(name)
    return f"{namespace}/{match[1]}" if match and namespace and len(name) <= _LONGEST else ""


def _complete(volume: Volume, run: str) -> RunDirectory | None:
    found = volume.runs.get(run)
    return found if found is not None and found.complete else None


def _newer(volume: Volume, run: str) -> str:
    return max((name for name in volume.runs if name > run), default="")


def _fault(call: InitCall, run: str) -> str:
    """What is wrong with the volume, in the script's words; empty for nothing."""
    own, volume = _deployment(call), call.volume
    if volume.fault:
        call.say(volume.fault)
        return volume.fault
    for name, directory in volume.runs.items():
        if own and name != run and directory.deployment not in ("", own):
            return (
                f"/data/runs/{name} belongs to the Deployment {directory.deployment}, this pod to"
                f" {own}: two Deployments share one volume; nothing is touched"
            )
    return ""


def _ahead(call: InitCall, run: str) -> str:
    """Says that a run is of the future; empty where it is not."""
    ahead = run_time(run) > call.now() + CLOCKS_DIFFER
    return f"the run {run} is more than 1 day in the future; nothing is removed" if ahead else ""
