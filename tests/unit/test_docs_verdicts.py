"""docs/verdicts.md names every reason of a failure, with its class and a message of it."""

import re
from pathlib import Path

from controller.domain.failure_class import CLASSES

PAGE = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ", re.MULTILINE)
EXAMPLE = re.compile(r"^\| `(\w+)` \| `[^`]+` \|$", re.MULTILINE)


def test_each_reason_has_its_row_and_class() -> None:
    """Does the page's table hold the closed list, each with the class that the code gives it?"""
    told = {reason: whose for reason, whose in ROW.findall(PAGE) if reason in set(CLASSES)}
    assert told == {str(reason): str(whose) for reason, whose in CLASSES.items()}


def test_each_reason_has_a_message() -> None:
    """Does the page show a message of each reason?"""
    assert set(EXAMPLE.findall(PAGE)) == set(map(str, CLASSES))
