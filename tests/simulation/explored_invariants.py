"""What must always hold in the explored world."""

from controller.domain.decide.observation import (
    Nudge,
)
from controller.domain.record.record import Record
from controller.domain.run import Phase
from controller.engine.telling.notices import transition_id
from tests.machine_objects import (
    build,
)
from tests.simulation.explored_look import decision_on, look
from tests.simulation.explored_objects import as_record, landed, letter, number_of
from tests.simulation.explored_state import KEYS, Dep, State, Violation, put


def check_write(i: int, before: Dep, after: Dep) -> None:
    """I2: the image of an open run is changed only to put its own pin back. I5: one by one."""
    old, new = as_record(i, before.record), as_record(i, after.record)
    if new is None:
        raise Violation("I5: a write without a record")
    # A write has a number, or one for each transition that it tells of.
    if old is not None and new.seq != old.seq + max(1, sum(s.seq > old.seq for s in new.steps)):
        raise Violation(f"I5: record {old.seq} was followed by {new.seq}")
    if after.image != before.image and (new.run is None or after.image != new.run.image):
        raise Violation(f"I2: the image was changed to {after.image}, which is no run's")
    if old and old.run and new.run and old.run.id != new.run.id:
        raise Violation(f"I2: run {old.run.id} was replaced by {new.run.id}")


def check_told(s: State, i: int, before: Dep, after: Dep) -> None:
    """I4: what a record drops of its steps, people were told."""
    old, new = as_record(i, before.record), as_record(i, after.record)
    if old is None or new is None:
        return
    told, kept = {identity for identity, _, _ in s.told}, {step.seq for step in new.steps}
    lost = [s for s in old.steps if s.seq not in kept and transition_id(old, s) not in told]
    if lost:
        raise Violation(f"I4: nobody was told {lost}")


def check_verdict(s: State, i: int, record: Record) -> None:
    """I3: what passes is a pod of the run's own id and image, on data of its own build alone."""
    outcome, found = record.outcome(), s.pods[i]
    if record.run is not None or outcome is None or outcome.phase is not Phase.PASSED:
        return
    old = as_record(i, s.deps[i].record)
    if old is None or old.run is None or old.run.id != outcome.run:
        return
    real = letter(outcome.build)
    shape = (outcome.run, real, old.run.image)
    if found is None or not found.up or (found.run, found.real, found.image) != shape:
        raise Violation(f"I3: run {outcome.run} passes on {found}")
    if len(old.run.seen.places) > 1:  # of this world's ends, which all are at one block
        raise Violation(f"I3: run {outcome.run} passes though its node ended twice at one block")
    if (outcome.run, real, True) not in s.volumes[i]:
        raise Violation(f"I3: run {outcome.run} passes on {s.volumes[i]}")
    strangers = {b for b, run, at in s.started if (run, at) == (outcome.run, i)} - {real}
    if strangers:
        raise Violation(f"I3: run {outcome.run} passes on data that {strangers} touched")


def check_wiped(s: State, i: int, run: str) -> None:
    """I2, I6: the data of an open run is never removed."""
    record = as_record(i, s.deps[i].record)
    opened = record.run.id if record and record.run else run
    if opened != run and any(d[0] == opened for d in s.volumes[i]):
        raise Violation(f"I2: the data of run {opened} was removed")


def check(s: State) -> None:
    """I1: a build is started at most once; I6: no run goes on on another build's data."""
    starts: dict[str, set[tuple[str, int]]] = {}
    for real, run, i in s.started:
        if run.endswith(real * 8) and (run, i) not in s.void:
            starts.setdefault(real, set()).add((run, i))
    for real, runs in starts.items():
        if len(runs) > 1:
            raise Violation(f"I1: build {real} was started by {sorted(runs)}")
    for i, dep in enumerate(s.deps):
        record, found = as_record(i, dep.record), s.pods[i]
        if record is None or record.run is None or found is None or not found.up:
            continue
        own = found.run == record.run.id and found.image == dep.image == record.run.image
        if own and any(d[0] == found.run and d[1] != found.real for d in s.volumes[i]):
            raise Violation(f"I6: run {found.run} runs on data of another build")


def check_settled(s: State) -> None:
    """At rest: nothing is open, the tag's build was tested, and each run's end was told once."""
    records = [r for r in (as_record(i, d.record) for i, d in enumerate(s.deps)) if r]
    if any(r.run for r in records):
        raise Violation("at rest with an open run")
    given_up = any(r.phase is Phase.BLOCKED and r.reason == "ForeignData" for r in records)
    if not given_up and not any(
        build(s.tag) in builds for r in records for builds in r.tested.values()
    ):
        raise Violation(f"at rest, and nobody has tested build {s.tag}: {records}")
    for i in range(s.kept):
        check_quiet(s, i)
    for i, claim in enumerate(s.store.pending):
        record = as_record(i, s.deps[i].record)
        if claim and not (record and record.inherited == claim[1]):
            raise Violation(f"at rest with a claim that leads nowhere: {claim}")
    if s.again:
        return
    ends: dict[tuple[str, str], int] = {}
    for identity, phase, _ in s.told:
        _, name, run, _ = identity.split(".")
        over = phase in (Phase.PASSED, Phase.FAILED, Phase.ABORTED)
        ends[name, run] = ends.get((name, run), 0) + over
    for (name, run), count in ends.items():
        if run != "idle" and count != 1:
            raise Violation(f"I4: the end of {name}'s run {run} was told {count} times")


def check_quiet(s: State, i: int) -> None:
    """A few looks say all that there is to say; then nothing is written any more."""
    for _ in range(3):
        decision = decision_on(look(s, i if s.apart else 0, i))
        if decision.write is None:
            record = as_record(i, s.deps[i].record)
            if s.inside and record is not None and record.steps:
                raise Violation(f"I4: the next process would tell again {record.steps}")
            if any(not isinstance(effect, Nudge) for effect in decision.effects):
                raise Violation(f"at rest with effects: {decision.effects}")
            return
        after = landed(i, s.deps[i], number_of(decision.write))
        assert after is not None
        s = s._replace(deps=put(s.deps, i, after))
    raise Violation(f"{KEYS[i]} does not stop to be written")
