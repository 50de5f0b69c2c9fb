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
from controller.domain.record.parts import Checked, Facts, Seen, ToldCondition
from controller.domain.run import Phase, run_time
from controller.domain.target import SLUG

SCHEMA = 1


class OpenRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The run that is open.

    image: the pin, as written into the containers. found: the images that the pin replaced, by
    which a taken-back pin is told from another wish. digest: what the tag pointed to. config: hash
    of the node's configuration. decided, started, bootstrapped: when the run was decided, the node
    first started, the node first said ready; 0 before. observed: seconds of observed time since
    `started`, as of the last write; blind: those of them in which the node could not be seen, or
    had nowhere to run; took: those until the node first said ready. reverts: how often the pin was
    put back. fault: reason of the fault that keeps this run from passing now. conditions: those
    that people were told of and that last.
    """

    id: str
    build: Build
    image: str
    target: str
    network: str
    mode: str
    config: str
    phase: Phase
    reason: str
    decided: int
    since: int
    digest: str = ""
    found: tuple[str, ...] = ()
    started: int = 0
    bootstrapped: int = 0
    observed: float = 0.0
    blind: float = 0.0
    took: float = 0.0
    reverts: int = 0
    fault: str = ""
    seen: Seen = Seen()
    facts: Facts = Facts()
    conditions: tuple[ToldCondition, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run ended. message: one sentence. took: observed seconds from the node's first start
    until it had bootstrapped, 0 if it never did. machine: its instance type. good: on a failure,
    the commit of the last good build. slower: than comparable runs. checked: of a pass.
    """

    run: str
    build: Build
    target: str
    phase: Phase
    reason: str
    at: int
    began: int
    message: str = ""
    observed: float = 0.0
    resumes: int = 0
    took: float = 0.0
    version: str = ""
    commit: str = ""
    machine: str = ""
    good: str = ""
    slower: bool = False
    checked: Checked | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transition that sinks may still have to be told of. Its id is run id and `seq`. quiet: it
    concerns many Deployments at once, so only the log and a Kubernetes Event say it for each.
    """

    seq: int
    before: str
    phase: str
    reason: str
    at: int
    message: str
    run: str = ""
    build: Build = ""
    level: str = "info"
    quiet: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """namespace, name, uid: whose it is. seq: counts writes and steps. phase, reason, message,
    since: of the Deployment. tested: builds by target, oldest first. levers: each lever's value
    that was last acted on, or found at the first meeting. again: why a person's wish makes another
    attempt of a tested build due (`retest`, `configuration`), or empty. voids: runs of `void_build`
    whose data another image touched. released: the failed run whose hold a person ended. warned:
    the end of the hold that people were warned of, in seconds since 1970.
    given_back: run id of the last claim that was given back; no pin is made of it or of an older
    one. inherited: run id of a claim that was there when the record was not: its run may have come
    to be, so it is never given back. told: `seq` of the
    last step that all sinks are known to have.
    """

    schema: int
    namespace: str
    name: str
    uid: str
    seq: int = 0
    phase: Phase = Phase.IDLE
    reason: str = ""
    message: str = ""
    since: int = 0
    run: OpenRun | None = None
    outcomes: tuple[Outcome, ...] = ()
    tested: dict[str, tuple[Build, ...]] = {}
    levers: dict[str, str] = {}
    config: str = ""
    last_run: str = ""
    again: str = ""
    voids: int = 0
    void_build: Build = ""
    released: str = ""
    warned: int = 0
    given_back: str = ""
    inherited: str = ""
    told: int = 0
    steps: tuple[Step, ...] = ()

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
