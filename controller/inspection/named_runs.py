"""Which run a person names: `[TARGET/]RUN`, or a Deployment for its open or last one."""

from collections.abc import Sequence
from difflib import get_close_matches

from controller.base.errors import Fault
from controller.base.text import shown
from controller.domain.run import Phase, is_run_id
from controller.domain.target import SLUG
from controller.inspection.remembered import Memories
from controller.views.deployment import DeploymentView
from controller.views.run import RunView

_OFFERED = 5  # names that are offered for one that is not known
_LOOKED_AT = 50  # newest runs of each target among which they are found


async def named_run(memories: Memories, name: str) -> RunView | str:
    """The run; or a sentence that says why none is meant, with the nearest names. Raises Fault for
    a name that several have.
    """
    target, slash, run = name.rpartition("/")
    if not is_run_id(run):
        return await _of_deployment(memories, name)
    if slash and not SLUG.fullmatch(target):
        raise Fault(f"'{shown(target, 80)}' is no target: write one such as fuji-full-sync/{run}")
    found = []
    places = [target] if slash else {*memories.targets, *await memories.reading.targets_of(run)}
    for each in sorted(places):
        one = await memories.reading.run(each, run)
        found += [one] if one is not None else []
    if len(found) > 1:
        choices = ", ".join(f"{one.target}/{run}" for one in found)
        raise Fault(f"several targets have a run {run}: write one of {choices}")
    return found[0] if found else await _unknown(memories, run, name)


async def failed_run(memories: Memories, name: str) -> RunView | str:
    """The last run of a Deployment that failed or, where none did, the last that is over; or a
    sentence that says why there is none. Raises Fault for a name that several have.
    """
    each = await _deployment(memories, name)
    if isinstance(each, str):
        return each
    targets = {each.target, *(run.target for run in (each.run, each.last) if run)} - {""}
    ended = [run for at in targets for run in await memories.reading.ended(at, limit=_LOOKED_AT)]
    own = [run for run in ended if run.deployment == each.deployment]
    failed = [run for run in own if run.phase == Phase.FAILED]
    if not own:
        return each.fault or f"{each.deployment} has had no run yet that is over: {each.message}"
    return max(failed or own, key=lambda run: run.run)


async def _of_deployment(memories: Memories, name: str) -> RunView | str:
    each = await _deployment(memories, name)
    if isinstance(each, str):
        return each
    run = each.run or each.last
    if run is None:
        return each.fault or f"{each.deployment} has had no run yet: {each.message}"
    return await memories.reading.with_progress(run)


async def _deployment(memories: Memories, name: str) -> DeploymentView | str:
    """Raises Fault for a name that several have."""
    here = [each for each in memories.deployments if _is_named(each, name)]
    if len(here) > 1:
        choices = ", ".join(each.deployment for each in here)
        raise Fault(f"'{shown(name, 80)}' names several: write one of {choices}")
    if not here:
        return await _unknown(memories, name, name)
    return here[0]


def _is_named(each: DeploymentView, name: str) -> bool:
    return name in (each.deployment, each.deployment.partition("/")[2])


async def _unknown(memories: Memories, run: str, name: str) -> str:
    known = [each.deployment.partition("/")[2] for each in memories.deployments]
    known += [each.run for each in memories.reading.open()]
    for target in memories.targets:
        ended = await memories.reading.ended(target, limit=_LOOKED_AT)
        known += [each.run for each in ended]
    close = _nearest(run, known)
    offered = f": there are {shown(', '.join(close), 400)}" if close else ""
    return f"no run or Deployment '{shown(name, 80)}' is known{offered}"


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(known))
    return get_close_matches(name, unique, n=_OFFERED, cutoff=0.4) or unique[:_OFFERED]
