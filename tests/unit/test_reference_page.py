"""The reference page says what the code says."""

import ast
from pathlib import Path

from controller.domain.health.conditions import Condition
from controller.domain.run import Reason
from controller.page.openapi import PATHS
from controller.reference import api, blocked
from controller.reference.notices import rows
from controller.reference.page import describe
from store.redis.layout import LAYOUT

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_the_one_that_the_code_writes() -> None:
    """Is no metric, tag, key or reason missing, or told that is not there?"""
    assert (DOCS / "reference.md").read_text() == describe()


def test_every_reason_is_on_the_page() -> None:
    """Is a reason or condition that was added told of?"""
    told = {row.reason for row in rows()}
    assert told >= set(Reason)
    assert told >= {*Condition, *(f"{condition}Ended" for condition in Condition)}


def test_redis_md_lists_the_same_keys() -> None:
    """Do the two pages that name keys agree?"""
    page = (DOCS / "redis.md").read_text()
    for key, kind, what in LAYOUT:
        assert f"| `bootstrap:{key}` | {kind} | {what} |" in page


def test_every_reason_of_blocked_is_on_the_page() -> None:
    """Is each fault told of that the code can find with a Deployment, and no other?"""
    said = {"ForeignData", "WriteRefused"}  # of no manifest, but of the data and the cluster
    for path in (DOCS.parent / "controller" / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("TargetFault"), [ast.Constant(str(reason)), *_]):
                    said.add(reason)
                case ast.Call(ast.Name("TargetFault")):
                    raise AssertionError(f"{path.name}: a reason that is no literal")
    found = [reason for reason, *_ in blocked.rows()]
    assert sorted(found) == sorted(said)


def test_every_path_and_type_of_the_api_is_on_the_page() -> None:
    """Has each path its row, and each type that is named its fields?"""
    assert [path for path, *_ in api.paths()] == list(PATHS)
    told = {kind for kind, *_ in api.fields()}
    assert told >= {answer for _, _, answer, _ in api.paths()}
    named = {word for *_, value in api.fields() for word in value.split() if word.endswith("View")}
    assert told >= named
