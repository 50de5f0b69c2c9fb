"""Every citation of the house leads somewhere, and every fact has its number, source and reader.

How they are written, and where they are looked for, is in tests/citations.py.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.citations import (
    FACT,
    FACTS,
    KNOWN,
    RECORDING,
    ROOT,
    Cited,
    Fact,
    citations,
    complaints,
    disorder,
    facts,
    found_in,
    odd_places,
    texts,
    uncited,
)


@cache
def _all() -> list[Cited]:
    return citations(ROOT)


@cache
def _page() -> list[Fact]:
    return facts((ROOT / FACTS).read_text("utf-8"))


@cache
def _recorded() -> set[int]:
    return {int(path.name[:2]) for path in (ROOT / "tests/recordings").glob("[0-9][0-9]-*.json")}


def test_every_citation_leads_somewhere() -> None:
    """Is there a fact, or a recording, for each number that the project cites?"""
    assert complaints(_all(), {fact.number for fact in _page()}, _recorded()) == []


def test_places_in_kubernetes_have_a_path() -> None:
    """Does each `[K ...]` name a file or a folder that can be looked up?"""
    assert [odd for name, text in texts(ROOT) for odd in odd_places(name, text)] == []


def test_no_fact_is_cited_by_nobody() -> None:
    """Does each fact on the page still carry something, so that the page stays honest?"""
    assert uncited(_all(), {fact.number for fact in _page()}) == []


def test_the_real_tree_is_looked_at() -> None:
    """Are citations found of every kind and in every kind of file, and not in an empty tree?"""
    suffixes = {
        (each.kind, Path(each.place.partition(":")[0]).suffix)
        for each in _all()
        if not each.place.startswith(str(FACTS))
    }
    assert suffixes >= {(FACT, ".py"), (FACT, ".md"), (FACT, ".yaml"), (FACT, ".sh")}
    assert suffixes >= {(RECORDING, ".py"), (RECORDING, ".md")}
    assert len(_all()) > 300


def test_facts_are_in_order() -> None:
    """Can a fact be found by leafing, and does no number stand for two of them?"""
    assert disorder(_page()) == []


def test_every_fact_says_where_it_is_from() -> None:
    """Does each fact have a source that begins with a name from the page's own list?"""
    listed = (ROOT / FACTS).read_text("utf-8").partition("\n## Sources\n")[2].partition("\n## ")[0]
    known = re.compile(rf"(?:{'|'.join(KNOWN.findall(listed))})s?\b")
    assert [(fact.number, fact.source) for fact in _page() if not known.match(fact.source)] == []


def test_every_fact_is_read() -> None:
    """Is no fact passed over because it is not written in the form that is read here?"""
    text = (ROOT / FACTS).read_text("utf-8")
    assert len(re.findall(r"^[*_#-]+ ?\d", text, re.MULTILINE)) == len(_page())
    assert text.count("\nSource: ") == len(_page())


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("x.py", '"""Hangs at first [92]."""', [92]),
        ("x.py", "x = 1  # seconds [88]; else it hangs [92]", [88, 92]),
        ("x.py", '"""Goes on\n    [130]."""', [130]),
        ("x.py", "# it goes on\n# [130].", [130]),
        ("x.py", '"""By its rules ([97-99, 103])."""', [97, 98, 99, 103]),
        ("x.py", "# broken off [86,\n# 87]", [86, 87]),
        ("x.py", 'assert ready, "it hangs [92]"', [92]),
        ("x.py", 'f"{x} hangs [92]"', [92]),
        ("x.md", "A chain waits [106], so", [106]),
        ("x.md", "| rule | facts |\n|---|---|\n| waits | [58, 59] |", [58, 59]),
        ("x.md", "has no recording [12]", [12]),
        ("x.yaml", "# writes it back\n# [142]. A pin\na: 1 # hides [141]", [142, 141]),
        ("x.sh", "readonly A=.b # no name of its own [98]", [98]),
        ("run", "# as it says [98]", [98]),
        ("x.py", "# runs backwards [9-7]", [0]),
    ],
)
def test_a_citation_is_found(name: str, text: str, numbers: list[int]) -> None:
    """Is each way of citing a fact understood, and a range all that lies in it?"""
    assert [(each.kind, each.number) for each in found_in(name, text)] == [
        (FACT, number) for number in numbers
    ]


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("x.py", "# moves with every write [recording 30]", [30]),
        ("x.py", '"""As they come (recordings 20-22, 31)."""', [20, 21, 22, 31]),
        ("x.py", '"""In the form of recordings 41 to 43."""', [41, 42, 43]),
        ("x.py", '"""As in the recordings 41 and\n    43."""', [41, 43]),
        ("x.py", '"""The owners: exchange 30, whole."""', [30]),
        ("x.md", "`tests/x.py`, recordings 20-21", [20, 21]),
        ("x.md", "| rule | recording |\n|---|---|\n| a 409 | 3 (1.36); 5 |", [3, 5]),
        ("x.md", "| rule | recording |\n|---|---|\n| a | none |\n\n| b | c |\n| d | 3 |", []),
    ],
)
def test_a_recording_is_found(name: str, text: str, numbers: list[int]) -> None:
    """Is each way of citing a recording understood, also the bare numbers of a table's column?"""
    assert [(each.kind, each.number) for each in found_in(name, text)] == [
        (RECORDING, number) for number in numbers
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.py", "x = [1, 2]\ny = x[0]\nassert y == [1]"),
        ("x.py", 'x = re.compile(r"[0-9]{1,3}[1]")'),
        ("x.py", "x = '{\"a\":[1,2]}', '[1]'"),
        ("x.py", 'x = f"{x[0]} {y[1]} {z}[2]"'),
        ("x.py", '"""A share of all, [0, 1]."""'),
        ("x.py", '"""Such as `x = [1]`, or [most, 3]."""'),
        ("x.py", 'said = recording("49")["response"]'),
        ("x.py", '"""Of 36 recordings; what they say, and 409."""'),
        ("x.md", 'see [1](#one) and `[2]`\n\n```json\n{"a": [3]}\n```\n'),
        ("x.sh", 'echo "${x[1]}" [2]; [[ $x =~ ^[0-9]$ ]]'),
        ("x.json", '{"a": "see [92]"}'),
    ],
)
def test_what_only_looks_like_one_is_not(name: str, text: str) -> None:
    """Are links, indexes, patterns, intervals and JSON let be?"""
    assert list(found_in(name, text)) == []


@pytest.mark.parametrize(
    ("name", "text", "odd"),
    [
        ("x.py", '"""By its rules [K pkg/kubelet/x.go, validate]."""', []),
        ("x.py", "# by its rules [K apimachinery/pkg/api/\n# validation].", ["x.py:1"]),
        ("x.py", "# by its rules\n# [K apimachinery/pkg/api/validation].", []),
        ("x.py", "# merges by port [K types.go].", ["x.py:1"]),
        ("x.py", "# merges by port [K go/types.go].", ["x.py:1"]),
        ("x.md", "| rule | facts |\n|---|---|\n| 80 lines | K pkg/kubelet/x |", ["x.md:3"]),
        ("x.md", "Source: K `pkg/kubelet/x.go`; such as `[K types.go]`, 4 K each.", []),
    ],
)
def test_a_place_in_kubernetes_is_read(name: str, text: str, odd: list[str]) -> None:
    """Is a place without a path seen, or one without brackets?"""
    assert [found.rpartition(": ")[0] for found in odd_places(name, text)] == odd


def test_a_place_is_a_line() -> None:
    """Does a complaint lead to the line, also behind code and in a long docstring?"""
    text = 'x = "a"\n\n\ndef f():\n    """One.\n\n    Two [92]\n    [93].\n    """  # three [94]\n'
    assert [each.place for each in found_in("x.py", text)] == ["x.py:7", "x.py:8", "x.py:9"]


def test_a_dangling_citation_is_complained_about(tmp_path: Path) -> None:
    """Is a number without a fact told with its place, wherever in the tree the file lies?"""
    for folder in ("a/b", ".ci", ".venv/lib", "c/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text("# so it is [92]\n\n# as recording 60 shows\n")
    assert complaints(citations(tmp_path), {91}, {59}) == [
        ".ci/x.py:1: there is no fact 92",
        ".ci/x.py:3: there is no recording 60",
        "a/b/x.py:1: there is no fact 92",
        "a/b/x.py:3: there is no recording 60",
    ]
    assert complaints(citations(tmp_path), {92}, {60}) == []


def test_a_fact_that_only_its_page_cites_is_found() -> None:
    """Does a fact not live on because another fact names it?"""
    cited = [
        Cited(FACT, 1, "x.py:1"),
        Cited(FACT, 2, f"{FACTS}:9"),
        Cited(RECORDING, 3, "x.py:1"),
    ]
    assert uncited(cited, {1, 2, 3}) == [2, 3]


def test_a_page_is_read() -> None:
    """Is a fact its paragraph, with its source, and is one without a source seen?"""
    page = "# Facts\n\n**1.** It is\nso.\nSource: K `a`,\n`b`.\n\n## More\n\n**3.** Nobody knows.\n"
    assert facts(page) == [
        Fact(1, "It is\nso.\nSource: K `a`,\n`b`.", "K `a`,\n`b`."),
        Fact(3, "Nobody knows.", ""),
    ]


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [([1, 3, 9], []), ([1, 9, 3, 4], [3]), ([1, 2, 2], [2]), ([2, 1, 2], [1, 2])],
)
def test_disorder_is_seen(numbers: list[int], wrong: list[int]) -> None:
    """Is a number that comes too late, or twice, named?"""
    assert disorder([Fact(number, "", "K") for number in numbers]) == wrong
