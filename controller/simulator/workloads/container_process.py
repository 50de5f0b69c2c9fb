"""Which process a container becomes, from its image and its command."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.environment import environment_of
from controller.simulator.workloads.image_pulls import Image
from controller.simulator.workloads.machine import Machine
from controller.simulator.workloads.processes import (
    CannotCreate,
    CannotStart,
    Command,
    DoneProcess,
    ForeignProcess,
    IdleProcess,
    InitProcess,
    NodeProcess,
    Process,
)
from controller.simulator.workloads.programs import Call
from controller.simulator.workloads.volumes import Volume

_PROGRAM = "./avalanchego"  # what avalanchego's image runs by itself [113]

# How containerd and runc say so [scene noexec].
_NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc"
    ' create failed: unable to start container process: exec: "{program}": stat {program}: no such'
    " file or directory"
)


@dataclass(frozen=True)
class Place:
    """Where a container runs."""

    pod: Object
    volume: Volume  # what is mounted at /data
    machine: Machine
    localhost: Callable[[int], int | None]  # see `Call`


def process_of(container: Object, image: Image, place: Place, *, init: bool) -> Process:
    """Not yet running. Raises CannotCreate, CannotStart."""
    machine, pod = place.machine, place.pod
    clock, build = machine.clock, image.build
    if secret := _missing_secret(container, pod, machine):
        raise CannotCreate(f'secret "{secret}" not found')
    words = (*(container.get("command") or ()), *(container.get("args") or ()))
    environment = environment_of(container, pod)
    call = Call(container["name"], words, environment, pod, clock, place.localhost)
    if (program := machine.software.programs(call)) is not None:
        return program
    sidecar = init and container.get("restartPolicy") == "Always"
    if build is None:
        return DoneProcess(clock) if init and not sidecar else IdleProcess(clock)
    if build.wrong_architecture:
        return ForeignProcess(clock, words[0] if words else _PROGRAM)
    if sidecar:
        return IdleProcess(clock)
    if build.no_program and not init:
        raise CannotStart(_NO_PROGRAM.format(program=words[0] if words else _PROGRAM))
    if init:
        deaf = 0.0 if pod["spec"].get("shareProcessNamespace") else machine.speed.deaf
        return InitProcess(
            machine.software.init_container, environment, place.volume, build, clock, deaf
        )
    command = Command(environment, words)
    return NodeProcess(build, command, place.volume, clock, machine.speed.node)


def _missing_secret(container: Object, pod: Object, machine: Machine) -> str:
    """Name of one that a variable is to be read from, and that is not there; empty for none."""
    namespace = pod["metadata"]["namespace"]
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        name = str(reference.get("name", ""))
        needed = name and not reference.get("optional")
        if needed and machine.cluster.storage.peek("secrets", namespace, name) is None:
            return name
    return ""
