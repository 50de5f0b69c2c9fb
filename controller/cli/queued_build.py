"""`test-build --wait`: follows what was queued to its end."""

from collections.abc import Sequence

from controller.base.text import shown
from controller.cli.exit_codes import FAILED
from controller.cli.flags import Flags
from controller.cli.qualify import Form, say_change, tell_answer
from controller.cli.surroundings import quiet_surroundings, reading_settings
from controller.cli.telling import say
from controller.inspection.deployments import inspecting
from controller.inspection.qualifying import Qualifying, until_decided
from controller.settings.options import ALL, NAMESPACE
from controller.views.deployment import of_deployment


async def follow(
    reference: str, keys: Sequence[str], flags: Flags, output: Form, longest: float | None
) -> int:
    """The exit code: 0 if the build has passed on the target of each of these Deployments. keys:
    `namespace/name`.
    """
    around = quiet_surroundings()
    if not flags[ALL.key]:
        namespaces = dict.fromkeys(key.partition("/")[0] for key in keys)
        flags = flags | {NAMESPACE.key: list(namespaces)}
    async with inspecting(reading_settings(flags), around) as inspection:
        views = [of_deployment(each.deployment) for each in inspection.inspected()]
        targets = {view.deployment: view.target for view in views if view.deployment in keys}
        unknown = [key for key in keys if not targets.get(key)]
        if unknown:
            said = f"which target {', '.join(unknown)} has is not known: see `status`"
            say(shown(said, 400), err=True)
            return FAILED
        question = Qualifying(inspection, reference, list(targets.values()), siblings=False)
        answer, timed_out = await until_decided(question, around.clock, longest, say_change)
    return tell_answer(reference, answer, output, timed_out)
