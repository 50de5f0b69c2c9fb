"""Notices in text for people: templates, and many notices in one line."""

from dataclasses import replace

import pytest

from controller.domain.notice import Level, Notice
from controller.domain.notice_text import DEFAULT_TEMPLATE, check_template, sum_of, text_of
from tests.fakes import EPOCH

NOTICE = Notice(id="1", at=EPOCH, level=Level.INFO, title="a: Soaking (Bootstrapped)", text="t",
                reason="Bootstrapped")  # fmt: skip


@pytest.mark.parametrize("template", [DEFAULT_TEMPLATE, "{title}", "{mark}{level}\\n{run} {build}"])
def test_a_template_of_known_words_is_taken(template: str) -> None:
    """Is what is well-formed taken as it is?"""
    assert check_template(template) == template


@pytest.mark.parametrize("template", ["no word", "{titel}", "{title", "title}", "{}", "{{title}}"])
def test_another_is_refused_with_the_words_that_there_are(template: str) -> None:
    """Is a slip told at the start, and not in the channel?"""
    with pytest.raises(ValueError, match=r"one or more of \{mark\}, \{level\}, \{title\}"):
        check_template(template)


def test_a_sum_names_the_worst() -> None:
    """Is the one failure among many recoveries what is read first?"""
    failed = replace(NOTICE, level=Level.ERROR, title="b: Failed (Panic)", reason="Panic")
    assert sum_of([NOTICE, NOTICE, failed, NOTICE]) == (
        ":x: *4 notices at once*: 3 Bootstrapped, 1 Panic (b: Failed (Panic))"
    )


def test_a_sum_of_everything_stays_short() -> None:
    """Are hundreds of reasons and titles one readable line?"""
    many = [replace(NOTICE, title="x" * 900, reason=f"R{n}", text=f"{n}") for n in range(500)]
    told = sum_of(many)
    assert len(told) <= 3000
    assert "494 others" in told


def test_a_notice_of_one_megabyte_is_cut() -> None:
    """Does a text that somebody else wrote stay within what a channel shows?"""
    assert len(text_of(replace(NOTICE, text="&" * 2**20), "{text}{text}{text}")) <= 3000
