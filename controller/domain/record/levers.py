"""Levers: annotations by which a person asks once for something; who asked, and when; pure.

The commands write `2026-11-23T06:00:00Z by jane@laptop`; any other new value asks just as well.
"""

import re
from datetime import UTC, datetime, timedelta

from controller.base.text import cut_bytes, shown
from controller.domain import names
from controller.domain.manifest.field_owners import annotation_manager
from controller.domain.objects import Deployment
from controller.domain.record.record import Outcome, Record
from controller.domain.run import Phase

ASKING_ONCE = (names.RETEST, names.ABORT, names.END_HOLD)
VALUE_BYTES = 64  # the record keeps one of each lever, beside all else in its 16 KiB
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_OURS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) by (\S.*)")


def levers_of(deployment: Deployment, *levers: str) -> dict[str, str]:
    """The values of these levers, or of all that ask once, as they are written now; cut, for they
    are kept.
    """
    return {name: value for name in levers or ASKING_ONCE if (value := _lever(deployment, name))}


def unanswered(deployment: Deployment, record: Record, *levers: str) -> set[str]:
    """Those of these levers, or of all, that a person has given a new value since they were last
    acted on.
    """
    found = levers_of(deployment, *levers)
    return {
        name for name, value in found.items() if value != (record.levers.get(name) or "").strip()
    }


def lever_value(now: datetime, who: str, *spent: str | None) -> str:
    """A new value: another one than these, which ask for nothing any more."""
    second = now.astimezone(UTC)
    while (value := _value(second, who)) in spent:
        second += timedelta(seconds=1)
    return value


def asked(deployment: Deployment, annotation: str) -> str:
    """A clause: who gave this annotation its value, and when, as far as can be told. The value
    itself says it where it is one of ours; else managedFields name the tool.
    """
    ours = _OURS.fullmatch(_lever(deployment, annotation))
    if ours is not None:
        return f"{shown(ours[2], 60)} asked for it at {ours[1]}"
    entry = annotation_manager(deployment, annotation)
    if entry is None:
        return "a person asked for it"
    when = f" at {entry.time.astimezone(UTC).strftime(_INSTANT)}" if entry.time else ""
    return f"a person asked for it with '{shown(entry.manager, 60)}'{when}"


def kept(record: Record) -> Outcome | None:
    """The failure whose data is kept, if the last run failed and no person has ended its hold."""
    outcome = record.outcome()
    if outcome is None or outcome.phase is not Phase.FAILED or record.released == outcome.run:
        return None
    return outcome


def _lever(deployment: Deployment, name: str) -> str:
    """As it is written now, and kept; empty where it is not."""
    value = deployment.metadata.written(name)
    return cut_bytes(value, VALUE_BYTES) if value else ""


def _value(second: datetime, who: str) -> str:
    return cut_bytes(f"{second.strftime(_INSTANT)} by {shown(who, 60) or 'somebody'}", VALUE_BYTES)
