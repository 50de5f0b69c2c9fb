"""The builds that the scenarios push, and what a pin of them looks like."""

from controller.simulator.registry import SimulatedBuild
from tests.cluster.stage import REPOSITORY, TAG

FIRST = SimulatedBuild("1.14.0", "a1" * 20)
SECOND = SimulatedBuild("1.14.1", "b2" * 20)


def pinned(build: SimulatedBuild, tag: str = TAG) -> str:
    return f"{REPOSITORY}:{tag}@{build.digest()}"
