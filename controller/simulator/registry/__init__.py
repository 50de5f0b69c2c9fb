"""A small OCI registry with a token server and a CDN: enough for clients that pull.

Left out: pushing over HTTP (`SimulatedRegistry.push` does it), `_catalog`, referrers.
"""

from controller.simulator.registry.actions import (
    HugeBody,
    LongHeaders,
    NoHead,
    Packed,
    SignedSchema1,
    WithoutDigest,
    WrongDigest,
)
from controller.simulator.registry.auth import TokenRules
from controller.simulator.registry.quota import PullQuota
from controller.simulator.registry.server import Counts, SimulatedRegistry
from controller.simulator.registry.simulated_build import Shape, SimulatedBuild

__all__ = [
    "Counts",
    "HugeBody",
    "LongHeaders",
    "NoHead",
    "Packed",
    "PullQuota",
    "Shape",
    "SignedSchema1",
    "SimulatedBuild",
    "SimulatedRegistry",
    "TokenRules",
    "WithoutDigest",
    "WrongDigest",
]
