"""What the store shows of a record and its runs: for people in fields, for us whole."""

from controller.domain.failure_class import class_of
from controller.domain.record.parts import as_json, cause_fields, fact_fields
from controller.domain.record.record import Outcome, Record


def mirror_fields(record: Record, text: str) -> dict[str, str]:
    """The readable copy: for people the fields, for us the whole."""
    run, outcome = record.run, record.outcome()
    fields = {
        "seq": str(record.seq),
        "phase": str(record.phase),
        "reason": str(record.reason),
        "message": record.message,
        "since": str(record.since),
        "record": text,
    }
    if run is not None:
        fields |= {"run": run.id, "build": run.build, "image": run.image, "target": run.target}
    if outcome is not None:
        fields |= {
            "last_run": outcome.run,
            "last_outcome": str(outcome.phase),
            "last_reason": outcome.reason,
            "last_at": str(outcome.at),
        }
    return fields


def run_fields(record: Record) -> dict[tuple[str, str], dict[str, str]]:
    """(target, run id) to what is known of the run: the open one and the last outcome."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    outcome, run = record.outcome(), record.run
    if outcome is not None:
        found[outcome.target, outcome.run] = _outcome_fields(record, outcome)
    if run is not None:
        found[run.target, run.id] = {
            "deployment": record.key,
            "build": run.build,
            "image": run.image,
            "digest": run.digest,
            "network": run.network,
            "sync_mode": run.mode,
            "configuration": run.config,
            "phase": str(run.phase),
            "reason": run.reason,
            "decided": str(run.decided),
            "started": str(run.started),
            "bootstrapped": str(run.bootstrapped),
            "took": str(run.took),
            "lasted": str(run.lasted or ""),
            "resumes": str(run.seen.resumes),
            "seen": as_json(run.seen),
            "conditions": as_json(run.conditions),
            **fact_fields(run.facts),
        }
    return _told(found)


def all_run_fields(record: Record) -> dict[tuple[str, str], dict[str, str]]:
    """As `run_fields`, of every run that the record remembers."""
    ended = {(o.target, o.run): _outcome_fields(record, o) for o in record.outcomes}
    return _told(ended) | run_fields(record)


def _told(found: dict[tuple[str, str], dict[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """Without what is not known."""
    return {key: {name: value for name, value in of.items() if value} for key, of in found.items()}


def _outcome_fields(record: Record, outcome: Outcome) -> dict[str, str]:
    return {
        "deployment": record.key,
        "build": outcome.build,
        "phase": str(outcome.phase),
        "reason": outcome.reason,
        "message": outcome.message,
        "began": str(outcome.began),
        "ended": str(outcome.at),
        "observed": str(outcome.observed),
        "took": str(outcome.took),
        "lasted": str(outcome.lasted or ""),
        "resumes": str(outcome.resumes),
        "class": class_of(outcome.reason),
        "version": outcome.version,
        "commit": outcome.commit,
        "last_good_commit": outcome.good,
        "slower": "true" if outcome.slower else "",
        "checked": as_json(outcome.checked) if outcome.checked else "",
        **cause_fields(outcome.cause),
    }
