"""The record: a Deployment's own memory, one annotation of compact JSON, the truth about its run.

Read tolerantly one schema back; an unreadable one is `Blocked`, never forgotten and never
overwritten. Times are whole seconds since 1970: a record is compared byte by byte.
"""

from functools import lru_cache
from typing import Any

import msgspec
import orjson

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import Build
from controller.domain.defaults import Rules
from controller.domain.objects import Deployment
from controller.domain.record.parts import Cause, Checked, Facts, Seen, ToldCondition
from controller.domain.run import Phase, run_time
from controller.domain.target import SLUG

SCHEMA = 1


class OpenRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The run that is open."""

    id: str
    build: Build
    image: str  # the pin, as written into the containers
    target: str  # slug
    network: str  # as the node names it
    mode: str  # of `SyncMode`
    config: str  # hash of the node's configuration, as it was pinned
    # The same by variable and flag, four hex digits each; empty where that is not known
    parts: dict[str, str] = {}
    phase: Phase
    reason: str  # why it is in this phase
    decided: int  # when it was decided
    since: int  # when its phase began
    digest: str = ""  # what the tag pointed to: an index, or the build itself
    # The images that the pin replaced, by which a taken-back pin is told from another wish
    found: tuple[str, ...] = ()
    started: int = 0  # when the node first started, as the kubelet says; 0 before
    # When its pod was ready, as the kubelet says, or else when it was seen to be; 0 before
    bootstrapped: int = 0
    observed: float = 0.0  # seconds of observed time since `started`, as of the last write
    blind: float = 0.0  # of these, seconds in which nobody saw the node, or it had nowhere to run
    took: float = 0.0  # of these, seconds until the node first said ready; 0 before
    reverts: int = 0  # how often the pin was put back
    # Asked for beside the followed tag, which may never have pointed to the build, or long ago
    beside: bool = False
    fault: str = ""  # reason of the manifest's fault that keeps it from passing now; or empty
    seen: Seen = Seen()
    facts: Facts = Facts()
    conditions: tuple[ToldCondition, ...] = ()  # that people were told of and that last
    # What is wrong now, as the message says it: kind to when it was first seen
    trouble: dict[str, int] = {}
    plain: str = ""  # what the message says beside; empty while it says nothing else
    said: int = 0  # when trouble last changed the message; 0: never
    # As of the last write, and only where no store outlives the controller:
    progress: str = ""  # text of `noted_progress`; empty where none is noted
    lasted_for: dict[str, int] = {}  # condition of its pods to observed seconds, without a break

    @property
    def lasted(self) -> int:
        """Seconds from the node's first start until it had bootstrapped; 0 before."""
        return max(0, self.bootstrapped - self.started) if self.bootstrapped else 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run ended."""

    run: str  # id
    build: Build
    target: str  # slug
    phase: Phase  # Passed, Failed or Aborted
    reason: str
    at: int  # when it ended
    began: int  # when the node first started, or else when the run was decided
    message: str = ""  # one sentence
    observed: float = 0.0  # seconds of observed time since the node first started
    resumes: int = 0  # how often its data was resumed
    took: float = 0.0  # observed seconds until the node had bootstrapped; 0 if it never did
    lasted: int = 0  # seconds from its first start until then, by the cluster's time stamps
    beside: bool = False  # as the run's
    version: str = ""  # of the node; empty where it is not known
    commit: str = ""  # of the node; empty where it is not known
    machine: str = ""  # its instance type; empty where it is not known
    good: str = ""  # of a failure: commit of the last good build; empty where there is none
    slower: bool = False  # of a pass: than comparable runs
    checked: Checked | None = None  # of a pass: what it rests on
    cause: Cause | None = None  # of a failure by ends of the node: where it could not go on
    seq: int = 0  # of the step that told it; 0: an earlier version did not note it
    before: str = ""  # phase before, as that step says it


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transition that sinks may still have to be told of. Its id is run id and `seq`."""

    seq: int  # within the record
    before: str  # phase before; the same as `phase` for what happens within one
    phase: str  # of the run, or of the Deployment where there is none
    reason: str
    at: int
    message: str
    run: str = ""  # id; empty where the step is of no run
    build: Build = ""  # of the run; empty as `run` is
    level: str = "info"  # of `notice.Level`
    # It concerns many Deployments at once: only the log and a Kubernetes Event say it for each
    quiet: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a Deployment remembers."""

    schema: int
    namespace: str  # of the Deployment whose it is
    name: str
    uid: str
    seq: int = 0  # counts writes and steps
    phase: Phase = Phase.IDLE  # of the Deployment: its open run's, or one without a run
    reason: str = ""
    message: str = ""
    since: int = 0  # when the phase began
    run: OpenRun | None = None  # None while none is open
    outcomes: tuple[Outcome, ...] = ()  # the last ones, oldest first
    tested: dict[str, tuple[Build, ...]] = {}  # target to builds, oldest first
    levers: dict[str, str] = {}  # each to the value last acted on, or found at the first meeting
    config: str = ""  # hash of the node's configuration in the last run; empty before the first
    last_run: str = ""  # id of the latest run, open or over; empty before the first
    # Why a tested build is due again: `retest`, `configuration`; `retest-tag` where the followed
    # tag's is, after what was queued; or empty
    again: str = ""
    taken: str = ""  # what was queued last, as it was written, once its run had begun; or empty
    voids: int = 0  # runs of `void_build` in a row whose data another image touched
    void_build: Build = ""
    released: str = ""  # id of the failed run whose hold a person ended; empty: none
    warned: int = 0  # end of the hold that people were warned of; 0: of none
    # Run id of the last claim that was given back: no pin is made of it or of an older one
    given_back: str = ""
    # Run id of a claim that was there when the record was not: its run may have come to be, so it
    # is never given back
    inherited: str = ""
    told: int = 0  # `seq` of the last step that sinks and history are known to have
    heard: int = 0  # of the last one that all sinks are known to have, where history is behind
    steps: tuple[Step, ...] = ()  # that sinks may not have yet, oldest first

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    def knows(self, target: str, build: Build) -> bool:
        """Whether this Deployment tests or has tested the build on the target."""
        if self.run and self.run.target == target and self.run.build == build:
            return True
        return build in self.tested.get(target, ())

    def builds(self) -> set[Build]:
        """Every build that this Deployment has ever pinned, as far as it remembers."""
        known = {b for builds in self.tested.values() for b in builds}
        known.update(o.build for o in self.outcomes)
        if self.run:
            known.add(self.run.build)
        return known

    def outcome(self) -> Outcome | None:
        return self.outcomes[-1] if self.outcomes else None


def encode_record(record: Record, rules: Rules) -> str:
    """Compact JSON of at most `rules.record_bytes`, the oldest memories left out until it fits."""
    record = msgspec.structs.replace(
        record,
        outcomes=record.outcomes[-rules.outcomes :],
        steps=tuple(s for s in record.steps if s.seq > record.told)[-rules.steps :],
    )
    tested = [(t, b) for t, builds in record.tested.items() for b in builds][-rules.tested :]
    while True:
        by_target: dict[str, tuple[Build, ...]] = {}
        for target, build in tested:
            by_target[target] = (*by_target.get(target, ()), build)
        record = msgspec.structs.replace(record, tested=by_target)
        text = orjson.dumps(msgspec.to_builtins(record)).decode()
        if len(text.encode()) <= rules.record_bytes:
            return text
        if len(record.outcomes) > 3:
            record = msgspec.structs.replace(record, outcomes=record.outcomes[1:])
        elif record.run is not None and (record.run.parts or record.run.progress):
            run = msgspec.structs.replace(record.run, parts={}, progress="")
            record = msgspec.structs.replace(record, run=run)
        elif len(tested) > 10:
            tested = tested[len(tested) // 4 :]
        elif record.steps:
            record = msgspec.structs.replace(record, steps=record.steps[1:])
        else:
            return text  # never for what this controller wrote: every other field is bounded


def _check_names(record: Record) -> None:
    """What others take for granted of every record. Raises ValueError."""
    targets = {*record.tested, *(o.target for o in record.outcomes)}
    runs = {o.run for o in record.outcomes}
    if record.run is not None:
        targets.add(record.run.target)
        runs.add(record.run.id)
    for target in targets:
        if not SLUG.fullmatch(target):
            raise ValueError(f"{target!r} is not a target")
    for run in runs | ({record.last_run} if record.last_run else set()):
        run_time(run)


def decode_record(text: str, namespace: str, name: str) -> Record:
    """Raises TargetFault: unreadable, of a newer schema, or another Deployment's."""
    try:
        raw: Any = orjson.loads(text)
        schema = raw["schema"] if isinstance(raw, dict) and "schema" in raw else SCHEMA
        if isinstance(schema, int) and schema > SCHEMA:
            raise TargetFault(
                "RecordTooNew",
                f"the annotation {names.RECORD} has schema {schema} and this controller reads up to"
                f" {SCHEMA}: run the controller that wrote it, or a newer one",
            )
        record = msgspec.convert(raw, Record)
        _check_names(record)
    except (orjson.JSONDecodeError, msgspec.ValidationError, ValueError) as error:
        raise TargetFault(
            "RecordUnreadable",
            f"the annotation {names.RECORD} does not parse ({shown(error, 80)}): put back what the"
            " controller wrote, or remove it: the store's copy takes its place, if any",
        ) from error
    if (record.namespace, record.name) != (namespace, name):
        raise TargetFault(
            "RecordCopied",
            f"the annotation {names.RECORD} is of {shown(record.key, 80)}: copied manifests must"
            " leave it out, so remove it",
        )
    return record


def record_of(deployment: Deployment) -> Record | TargetFault | None:
    """The record on the Deployment, or the fault that it has."""
    meta = deployment.metadata
    text = meta.annotation(names.RECORD)
    return None if text is None else _decoded(text, meta.namespace, meta.name)


@lru_cache(maxsize=1024)  # every look at a Deployment reads its siblings' records: decode each once
def _decoded(text: str, namespace: str, name: str) -> Record | TargetFault:
    try:
        return decode_record(text, namespace, name)
    except TargetFault as fault:
        return fault
