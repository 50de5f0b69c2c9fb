"""A Deployment without an open run, as one decision sees it; each thing is looked at once."""

from dataclasses import dataclass
from functools import cached_property

from controller.domain.build import Build
from controller.domain.decide.observation import Observation
from controller.domain.manifest.configuration import configuration_parts
from controller.domain.manifest.request import RunRequest, node_container_name
from controller.domain.record.levers import levers_of, unanswered
from controller.domain.record.record import Record


@dataclass(frozen=True)
class StartCase:
    """Whether a run of it starts now is the question. Neither manifest nor Service has a fault."""

    o: Observation
    record: Record  # the Deployment's, or a new one
    request: RunRequest  # the observation's

    @cached_property
    def target(self) -> str:
        """What it tests, as a slug."""
        return str(self.request.target)

    @cached_property
    def parts(self) -> dict[str, str]:
        """The same by its parts."""
        deployment = self.o.deployment
        spec = deployment.spec.template.spec
        return configuration_parts(spec.container(node_container_name(deployment)))

    @cached_property
    def levers(self) -> dict[str, str]:
        """Values of the levers that ask once, as they are now."""
        return levers_of(self.o.deployment)

    @cached_property
    def again(self) -> str:
        """Why a person's wish makes a tested build due again: `retest` or `configuration`; empty
        where nobody wishes it. A change of configuration that makes another target asks for that
        target's next build, not for another attempt.
        """
        record = self.record
        if record.again in ("retest", "retest-tag"):
            return "retest"
        outcome = record.outcome()
        if outcome is None or outcome.target != self.target:
            return ""
        changed = record.config and record.config != self.o.configuration
        return "configuration" if changed or record.again else ""

    @cached_property
    def pulled(self) -> set[str]:
        """The levers that a person has given a new value since they were last acted on."""
        return unanswered(self.o.deployment, self.record)

    @property
    def unqueued(self) -> bool:
        """Whether what was taken is not asked for any more, so that it may be asked for anew."""
        return bool(self.record.taken) and self.record.taken.strip() != self.request.first

    def has_tested(self, build: Build) -> bool:
        return build in self.record.tested.get(self.target, ())
