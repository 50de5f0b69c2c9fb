"""An open run, as one decision sees it; each thing is looked at once."""

from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain.decide.observation import Observation
from controller.domain.decide.restarts import count_restarts
from controller.domain.decide.run_notes import noted
from controller.domain.manifest.field_owners import image_manager
from controller.domain.manifest.request import RunRequest, node_container_name
from controller.domain.pods.obstacles import refused_pods
from controller.domain.pods.run_pods import RunPods, view_pods
from controller.domain.record.parts import Facts, Seen
from controller.domain.record.pin import PinState, pin_state
from controller.domain.record.record import OpenRun, Record


@dataclass(frozen=True)
class RunCase:
    """What becomes of it now is the question."""

    o: Observation
    record: Record  # the Deployment's
    run: OpenRun  # the record's

    @property
    def fault(self) -> TargetFault | None:
        """What is wrong with the manifest, or else with the Service."""
        return next((f for f in (self.o.request, self.o.port) if isinstance(f, TargetFault)), None)

    @property
    def request(self) -> RunRequest:
        """Only of a manifest without a fault."""
        assert not isinstance(self.o.request, TargetFault)
        return self.o.request

    @cached_property
    def pods(self) -> RunPods:
        view, deployment = self.o.view, self.o.deployment
        if view is not None and view.pods is self.o.pods and view.run is self.run:
            return view.found
        container, refusal = node_container_name(deployment), refused_pods(deployment)
        return view_pods(self.o.pods, self.run, container, refusal)

    @cached_property
    def pin(self) -> PinState:
        return pin_state(self.o.deployment, self.run, self.record)

    @cached_property
    def manager(self) -> str:
        """Who last wrote the image; empty: nobody knows."""
        deployment = self.o.deployment
        return image_manager(deployment, node_container_name(deployment)) or ""

    @cached_property
    def seen(self) -> Seen:
        """What is to be remembered of its pods, restarts above all."""
        seen = count_restarts(self.o, self.run, self.pods)
        synced = self.o.attention.synced if self.o.attention else ""
        return with_fields(seen, synced=synced) if synced and synced != seen.synced else seen

    def up_to_now(self, run: OpenRun) -> OpenRun:
        """The run with all that is known of it beside its phase and its pods, as it is written."""
        run = with_fields(run, observed=self.observed, blind=self.blind, facts=self.facts)
        return run if self.o.store_lasts else noted(run, self.o)

    @property
    def facts(self) -> Facts:
        """What is known beside, with what was read since the last write."""
        return self.run.facts if self.o.facts is None else self.o.facts

    @property
    def observed(self) -> float:
        """Seconds since the node first started, as they are written."""
        return round(self.o.attention.observed, 1) if self.o.attention else self.run.observed

    @property
    def blind(self) -> float:
        """Those of them in which nobody could see the node, as they are written."""
        return round(self.o.attention.blind, 1) if self.o.attention else self.run.blind
