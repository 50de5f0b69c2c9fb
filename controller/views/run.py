"""One run as people look at it."""

from typing import Annotated

import msgspec

from controller.domain.run import OPEN
from controller.views.parts import Moment, View


class ConditionView(View, frozen=True, kw_only=True):
    """Trouble that may pass, that people were told of."""

    type: str
    since: Moment | None
    message: str


class StageView(View, frozen=True, kw_only=True):
    """How far one stage of one chain is."""

    chain: str
    stage: str
    count: float  # done in all lives of the run's node
    seconds: float  # observed, in which it moved


class MachineView(View, frozen=True, kw_only=True):
    """Where the run's last pod ran; empty where it is not known."""

    node: str = ""
    instance_type: str = ""
    zone: str = ""
    storage_class: str = ""
    requests: str = ""


class CauseView(View, frozen=True, kw_only=True):
    """Where a node could not go on; empty where nothing names it."""

    chain: str = ""
    height: int | None = None
    block: str = ""
    error: str = ""


class RunView(View, frozen=True, kw_only=True):
    """One bootstrap of one build on one target by one Deployment."""

    target: str  # slug
    run: str  # id, unique on its target
    deployment: str  # `namespace/name`
    build: str  # digest of the platform manifest
    index: str = ""  # digest that the tag pointed to; empty where it is not known
    image: str = ""  # the pin; empty for a run that only its outcome tells of
    tags: tuple[str, ...] = ()  # other names of the build, as the registry told them
    version: str = ""
    commit: str = ""
    phase: str
    reason: str
    side: Annotated[str, msgspec.Meta(description="whose fault a failure is")] = ""
    message: str = ""
    decided: Moment | None = None
    started: Moment | None = None  # when the node first started
    bootstrapped: Moment | None = None
    ended: Moment | None = None  # None while it is open
    took: float | None = None  # observed seconds until the node had bootstrapped
    lasted: float | None = None  # seconds from its first start until then, by the cluster's stamps
    observed: float | None = None  # seconds since the node first started, in which it was looked at
    resumes: int = 0  # how often its data was resumed
    slower: bool = False  # of a pass: than comparable runs
    last_good: str = ""  # of a failure: commit of the last good build
    machine: MachineView = MachineView()
    cause: CauseView | None = None
    conditions: tuple[ConditionView, ...] = ()
    checked: dict[str, object] | None = None  # what a pass rests on
    progress: tuple[StageView, ...] = ()
    pace: tuple[str, ...] = ()  # the progress in words, with how fast it went
    left: float | None = None  # seconds until it will have bootstrapped, as earlier runs let expect

    @property
    def open(self) -> bool:
        return self.phase in OPEN

    @property
    def key(self) -> tuple[str, str]:
        return self.target, self.run
