"""`run --dry-run --once`: one look at every Deployment, and what would be done."""

from loguru import logger

from controller.domain.record.belief import sibling_record
from controller.engine.reconcile.rehearsal import Rehearsal
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.explanation import explain_deployment
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings


async def look_once(settings: Settings, around: Surroundings) -> int:
    """Says for each Deployment what would be written where; returns how many there are. Nothing is
    waited for, and so what takes time (a soak, patience) is as far as the record has it. Raises
    SettingsFault and Trouble.
    """
    started = 0
    async with inspecting(settings, around) as inspection:
        opened = _open_runs(inspection)
        rehearsal = Rehearsal(settings.engine.max_open_runs, lambda: opened)
        keys = list(inspection.cluster.keys())
        for key in keys:
            seen = await explain_deployment(inspection, key)
            found = rehearsal.of(seen.observation)
            rehearsal.say(key, found)
            started += bool(found.starts)
    logger.bind(deployments=len(keys), would_start=started).info("dry run is over")
    return len(keys)


def _open_runs(inspection: Inspection) -> frozenset[str]:
    believed = (sibling_record(each.deployment) for each in inspection.inspected())
    return frozenset(record.key for record in believed if record is not None and record.run)
