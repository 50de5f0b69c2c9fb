"""A small avalanchego: a process with a port, a database that outlives it, and faults on demand.

Left out: consensus, staking, the admin and keystore APIs, and rule [102] (a resumed node with
`state-sync-enabled` unset goes on by full sync: here it goes on with what it began).
"""

from controller.simulator.node.pace import Pace
from controller.simulator.node.planned_behaviour import BAD_BLOCK, LOW_STAKE, Plan, Unhealthy
from controller.simulator.node.process import KILLED, OOM_KILLED, SimulatedNode
from controller.simulator.node.progress import Progress
from controller.simulator.node.settings import BadSettings, NodeSettings, Version
from controller.simulator.node.start_failure import StartFailure

__all__ = [
    "BAD_BLOCK",
    "KILLED",
    "LOW_STAKE",
    "OOM_KILLED",
    "BadSettings",
    "NodeSettings",
    "Pace",
    "Plan",
    "Progress",
    "SimulatedNode",
    "StartFailure",
    "Unhealthy",
    "Version",
]
