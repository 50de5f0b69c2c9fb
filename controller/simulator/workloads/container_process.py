"""Which process a container becomes, from its image and its command."""

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
from controller.simulator.workloads.volumes import Volume

_PROGRAM = "./avalanchego"  # what avalanchego's image runs by itself [113]

# How containerd and runc say so [scene noexec].
_NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc"
    ' create failed: unable to start container process: exec: "{program}": stat {program}: no such'
    " file or directory"
)


def process_of(
    container: Object, pod: Object, image: Image, volume: Volume, machine: Machine, *, init: bool
) -> Process:
    """Not yet running. pod: for the downward API. Raises CannotCreate, CannotStart."""
    clock, build = machine.clock, image.build
    if secret := _missing_secret(container, pod, machine):
        raise CannotCreate(f'secret "{secret}" not found')
    if build is None:
        return DoneProcess(clock) if init else IdleProcess(clock)
    words = (*(container.get("command") or ()), *(container.get("args") or ()))
    if build.wrong_architecture:
        return ForeignProcess(clock, words[0] if words else _PROGRAM)
    if build.no_program and not init:
        raise CannotStart(_NO_PROGRAM.format(program=words[0] if words else _PROGRAM))
    environment = environment_of(container, pod)
    if init:
        deaf = 0.0 if pod["spec"].get("shareProcessNamespace") else machine.speed.deaf
        return InitProcess(machine.init_container, environment, volume, build, clock, deaf)
    return NodeProcess(build, Command(environment, words), volume, clock, machine.speed.node)


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
