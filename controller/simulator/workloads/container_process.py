"""Which process a container becomes, from its image and its command."""

from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.environment import environment_of
from controller.simulator.workloads.image_pulls import Image
from controller.simulator.workloads.machine import Machine
from controller.simulator.workloads.processes import (
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


def process_of(
    container: Object, pod: Object, image: Image, volume: Volume, machine: Machine, *, init: bool
) -> Process:
    """Not yet running. pod: for the downward API."""
    clock, build = machine.clock, image.build
    if build is None:
        return DoneProcess(clock) if init else IdleProcess(clock)
    words = (*(container.get("command") or ()), *(container.get("args") or ()))
    if build.wrong_architecture:
        return ForeignProcess(clock, words[0] if words else _PROGRAM)
    environment = environment_of(container, pod)
    if init:
        deaf = 0.0 if pod["spec"].get("shareProcessNamespace") else machine.speed.deaf
        return InitProcess(machine.init_container, environment, volume, build, clock, deaf)
    return NodeProcess(build, Command(environment, words), volume, clock, machine.speed.node)
