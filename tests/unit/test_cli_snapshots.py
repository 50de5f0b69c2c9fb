"""Each command's table, at the widths that people have, and its JSON, as they are to look."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rich.cells import cell_len
from rich.text import Text

from controller.cli import builds, diff_table, doctor, qualify_text, stats
from controller.cli.headed import headed_lines
from controller.cli.telling import headed, words_in
from controller.domain.defaults import Rules
from controller.inspection.manifest_file import read_manifests
from controller.inspection.preview import preview_of
from controller.inspection.preview_text import preview_values, tell_preview
from controller.simulator.manifests import TargetManifest
from controller.views.parts import as_json
from controller.views.run_lines import lines_of_run
from tests.fixed_history import BAD, FINDINGS, NEW, NEXT, fixed_history, run_id

WIDTHS = [60, 80, 120, 200]
FOLDER = Path(__file__).parents[1] / "cli_tables"  # each table as it is to look

HISTORY = fixed_history()
TARGET = TargetManifest("fuji", annotations={"bootstrap.avax.network/soak": "soon"})
PREVIEW = preview_of(
    read_manifests(yaml.safe_dump_all([TARGET.deployment(), TARGET.service()]).encode(), "-")[0],
    Rules(),
)
WAITED = f"run {run_id(NEXT, 23)} failed (BadBlock): {BAD}"
PULLED = (
    f"bootstrap/mainnet: abort is asked for; run {run_id(NEW, 23)} will be ended, and the next"
    " build is tested in its place"
)
EXPLAINED = (
    ("decision", (f"Bootstrapping (NodeStarted): run {run_id(NEW, 23)} is bootstrapping",
                  "nothing is to be done now")),
    ("wrong now", ("NotMoving since 2h: C has fetched nothing since 2026-11-24T03:00:00Z",)),
    ("registry", (f"latest is {NEW} (points to {NEXT})",)),
    ("store", ("answers",)),
)  # fmt: skip

Table = Callable[[int | None], list[Text]]
TABLES: dict[str, Table] = {
    "builds": lambda width: builds.table_lines(HISTORY.builds, width),
    "qualify": lambda width: qualify_text.table_lines(HISTORY.qualification(NEW, "v1.14.1"), width),
    "qualify-failed": lambda width: qualify_text.table_lines(
        HISTORY.qualification(NEXT, "v1.14.2"), width
    ),
    "show": lambda width: texts(headed(lines_of_run(HISTORY.ended[0]), width)),
    "show-open": lambda width: texts(headed(lines_of_run(HISTORY.open), width)),
    "diff": lambda width: diff_table.table_lines(HISTORY.difference, width),
    "stats": lambda width: stats.table_lines(HISTORY.statistics, width),
    "doctor": lambda width: doctor.table_lines(FINDINGS, width),
    "preview": lambda width: headed_lines(PREVIEW.name, tell_preview(PREVIEW), width),
    "explain": lambda width: headed_lines("bootstrap/mainnet", EXPLAINED, width),
    "wait": lambda width: texts(words_in(WAITED, width)),
    "levers": lambda width: texts(words_in(PULLED, width)),
}
WIDE: dict[str, list[Text]] = {
    "qualify": qualify_text.table_lines(HISTORY.qualification(NEW, "v1.14.1"), None, wide=True),
    "stats": stats.table_lines(HISTORY.statistics, None, wide=True),
}
JSON: dict[str, object] = {
    "builds": HISTORY.builds,
    "qualify": HISTORY.qualification(NEW, "v1.14.1"),
    "show": HISTORY.ended[0],
    "diff": HISTORY.difference,
    "stats": HISTORY.statistics,
    "doctor": [each.as_dict() for each in FINDINGS],
    "preview": [preview_values(PREVIEW)],
}


def texts(lines: list[str]) -> list[Text]:
    return [Text(line) for line in lines]


def text(lines: list[Text]) -> str:
    return "".join(line.plain.rstrip() + "\n" for line in lines)


@pytest.mark.parametrize("width", [*WIDTHS, None])
@pytest.mark.parametrize("name", TABLES)
def test_it_looks_so(name: str, width: int | None) -> None:
    """Is the table as it is to be, at each width and in a pipe?"""
    assert text(TABLES[name](width)) == (FOLDER / f"{name}-{width or 'pipe'}.txt").read_text()


@pytest.mark.parametrize("name", WIDE)
def test_wide_looks_so(name: str) -> None:
    """Does `-o wide` tell more than the table?"""
    assert text(WIDE[name]) == (FOLDER / f"{name}-wide.txt").read_text()


@pytest.mark.parametrize("name", JSON)
def test_json(name: str) -> None:
    """Are the fields there with their types, times as RFC 3339?"""
    assert as_json(JSON[name]).decode() + "\n" == (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", TABLES)
def test_it_fits(name: str, width: int) -> None:
    """Is no line longer than the terminal is wide, but for a word that is copied whole?"""
    for line in text(TABLES[name](width)).splitlines():
        assert cell_len(line) <= width or len(line.split()) == 1, line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["show", "diff", "qualify-failed", "wait"])
def test_ids_stay_whole(name: str, width: int) -> None:
    """Can the run's id be copied?"""
    assert run_id(NEXT, 23) in text(TABLES[name](width))


@pytest.mark.parametrize("name", JSON)
def test_times_of_json(name: str) -> None:
    """Can each value that names a time be read as one, in UTC?"""
    for key, value in _fields(json.loads(as_json(JSON[name]))):
        if key in ("seen", "decided", "started", "bootstrapped", "ended", "since") and value:
            assert datetime.datetime.fromisoformat(str(value)).tzinfo is not None


def _fields(value: object) -> list[tuple[str, object]]:
    if isinstance(value, list):
        return [found for each in value for found in _fields(each)]
    if isinstance(value, dict):
        own = [(key, each) for key, each in value.items() if not isinstance(each, dict | list)]
        return own + [found for each in value.values() for found in _fields(each)]
    return []
