"""The reference page says what the code says."""

from pathlib import Path

from controller.domain.health.conditions import Condition
from controller.domain.run import Reason
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
