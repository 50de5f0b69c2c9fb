"""How far a reader walks through one decision: the files it enters, and the jumps between them.

    PYTHONPATH=. python -m tests.jumps          # three decisions, two numbers each
    PYTHONPATH=. python -m tests.jumps --each   # and which file calls into which, how often

A jump is a call from one of the project's files into another. A call within a file is none, and
what the standard library or a third party does in between does not count. Caches are emptied
first, so that a decision measured second walks as far as one measured first.
"""

import functools
import gc
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType

from controller.domain.decide.machine import decide
from controller.domain.decide.observation import Decision, Observation
from tests.machine_objects import deployment, with_annotations
from tests.machine_scene import scene
from tests.machine_world import World

ROOT = Path(__file__).parents[1]
PROJECT = str(ROOT / "controller")


@dataclass
class Walk:
    """The way through one decision."""

    files: set[str] = field(default_factory=set)  # below the root
    jumps: Counter[tuple[str, str]] = field(default_factory=Counter)  # (caller, called) to times
    decision: Decision | None = None  # what was decided

    def into(self, file: str) -> int:
        return sum(times for (_, called), times in self.jumps.items() if called == file)

    def __str__(self) -> str:
        return f"{len(self.files)} files, {sum(self.jumps.values())} jumps"


def walk(o: Observation) -> Walk:
    """Decides, and counts."""
    found, stack, begun = Walk(), [""], set[FrameType]()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            path = frame.f_code.co_filename
            if not path.startswith(PROJECT):
                stack.append(stack[-1])
                return
            file = path.removeprefix(f"{ROOT}/")
            goes_on = frame in begun  # a generator that is asked for more is no call
            if frame.f_code.co_flags & CO_GENERATOR:
                begun.add(frame)
            if file != stack[-1] and stack[-1] and not goes_on:
                found.jumps[stack[-1], file] += 1
            found.files.add(file)
            stack.append(file)
        elif event == "return":
            stack.pop()

    _forget()
    sys.setprofile(profile)
    try:
        found.decision = decide(o)
    finally:
        sys.setprofile(None)
    return found


def _forget() -> None:
    """Empties every cache of the project's functions."""
    for cached in gc.get_objects():
        if isinstance(cached, functools._lru_cache_wrapper) and (
            str(cached.__module__).startswith("controller.")
        ):
            cached.cache_clear()


def tag_to_pin() -> Walk:
    """A tag has moved after a pass, its build is claimed: the decision that pins it."""
    world = World()
    key = world.add(with_annotations(deployment(), soak="10m"))
    world.pass_run(key)
    world.settle(key)
    world.tags["latest"] = "b"
    world.take_claim(key)
    return _until(world, key, lambda: world.record(key).run is not None)


def ready_to_passed() -> Walk:
    """A node is healthy to the end of its soak: the decision that passes the run."""
    world = World(earlier=())
    key = world.add(with_annotations(deployment(), soak="10m"))
    world.bootstrap(key)
    return _until(
        world,
        key,
        lambda: world.record(key).run is None,
        meanwhile=lambda: world.probe(key),
    )


def crash_to_failed() -> Walk:
    """A node ends again and again: the decision that fails the run."""
    found = scene()
    world, seen = found.world, list[Observation]()
    observe = world.observe

    def watched(key: str) -> Observation:
        if world.record(key).run is not None:
            seen.append(observe(key))
        return observe(key)

    world.observe = watched  # type: ignore[method-assign]
    found.ends(8, 1, line="fatal error: out of ideas")
    assert found.verdict[0] == "Failed"
    return walk(seen[-1])


def _until(
    world: World, key: str, over: Callable[[], bool], *, meanwhile: Callable[[], object] = bool
) -> Walk:
    """The first decision after which it is over."""
    for _ in range(200):
        meanwhile()
        for _ in range(4):
            o = world.observe(key)
            decision = decide(o)
            world.carry_out(key, decision)
            if over():
                return walk(o)
            if decision.write is None:
                break
    raise AssertionError(f"it never comes to that: {world.record(key).message}")


CASES = {
    "tag moved to pin": tag_to_pin,
    "pod ready to Passed": ready_to_passed,
    "crash to Failed": crash_to_failed,
}

if __name__ == "__main__":
    for name, play in CASES.items():
        way = play()
        sys.stdout.write(f"{name}: {way}\n")
        if "--each" in sys.argv:
            for (caller, called), times in way.jumps.most_common():
                sys.stdout.write(f"  {times:3}  {caller} -> {called}\n")
