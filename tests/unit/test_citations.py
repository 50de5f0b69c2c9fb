"""The citations of the house: what a number in square brackets stands for, and that it stands.

`[92]`, `[86, 87]` and `[97-102]` are facts of docs/facts.md; `recording 30` and `recordings 20-31`
are files of tests/recordings. They are looked for in all of Markdown but its code, and elsewhere in
comments and, in Python, in strings: where people read, and not where code has its brackets.
"""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FACTS = Path("docs/facts.md")

_FACT, _RECORDING = "fact", "recording"

_PYTHON, _MARKDOWN = {".py"}, {".md"}
# Comments begin with `#`; the empty suffix is that of Dockerfile and of .ci/run.
_HASHED = {".yaml", ".yml", ".sh", ".conf", ".toml", ".ini", ""}

_SHOWN_FOLDERS = {".ci"}  # all others that begin with a dot are of tools: .git, .venv, .tox, caches
_BUILT_FOLDERS = {"__pycache__", "build", "dist", "node_modules"}

# `x[0]`, `"[1]"` and `:[1,2]` have no blank before the bracket, a link has its address behind it.
_BRACKETS = re.compile(r"(?<![^\s(])\[(\d{1,3}(?:(?:,\s*|-)\d{1,3})*)\](?!\()")
_WORDS = re.compile(
    r"\b(?:recordings?|exchanges?)\s+(\d{1,3}(?:(?:,\s*|-|\s+to\s+|\s+and\s+)\d{1,3})*)\b",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)(?:(?:-|\s+to\s+)(\d+))?")
_PROSE = re.compile(r"\[\d|recording|exchange", re.IGNORECASE)  # worth a closer look

_SPAN = re.compile(r"(`+)[^`\n]+\1")
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|(?<=\s))#(.*)")
_WRITTEN = {  # kinds of tokens; parts of f-strings are tokens since 3.12
    getattr(tokenize, name)
    for name in ("COMMENT", "STRING", "FSTRING_MIDDLE", "TSTRING_MIDDLE")
    if hasattr(tokenize, name)
}

# A fact is a paragraph: `**92.** What is so.` and, on a line of its own, `Source: where from.`
_ENTRY = re.compile(r"^\*\*(\d+)\.\*\* (.+?)(?=\n\n|\n*\Z)", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(r"^Source: (.+)", re.MULTILINE | re.DOTALL)
_KNOWN = re.compile(r"\*\*([A-Za-z ]+)\*\*:")


class Cited(NamedTuple):
    """One number that is cited. place: file and line, as a person would say it."""

    kind: str
    number: int
    place: str


def expanded(text: str) -> list[int]:
    """The numbers of `1`, `2, 3`, `4-6` or `7 to 9 and 11`; of a range that runs backwards none."""
    return [
        number
        for first, last in _RANGE.findall(text)
        for number in range(int(first), int(last or first) + 1)
    ]


def _blanked(text: str) -> str:
    """As long and with as many lines as the text, and nothing in it that could cite."""
    return re.sub(r"\S", "~", text)


def _python(text: str) -> str:
    """Comments and strings alone, each in its place."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    parts, done = [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _WRITTEN:
            start = starts[token.start[0] - 1] + token.start[1]
            end = starts[token.end[0] - 1] + token.end[1]
            said = text[start:end]
            if token.type == tokenize.COMMENT:
                said = " " + said[1:]  # so that a sentence goes on in the next line
            parts += [_blanked(text[done:start]), said]
            done = end
    return "".join(parts)


def _hashed(text: str) -> str:
    """Comments alone. A `#` in a string is taken for one, which so far has done no harm."""
    return "\n".join(
        " " * found.start(1) + found[1] if (found := _COMMENT.search(line)) else ""
        for line in text.split("\n")
    )


def prose(name: str, text: str) -> str:
    """What of a file may cite, on the same lines; all else, and what is code, is blotted out."""
    suffix = Path(name).suffix
    if suffix in _PYTHON:
        text = _python(text)
    elif suffix in _MARKDOWN:
        text = _FENCE.sub(lambda found: _blanked(found[0]), text)
    elif suffix in _HASHED:
        text = _hashed(text)
    else:
        return ""
    return _SPAN.sub(lambda found: _blanked(found[0]), text)


def _columns(text: str) -> Iterator[tuple[int, str]]:
    """Line and cell of the last column of each Markdown table that has `recording` as its head."""
    head = ""
    for line, row in enumerate(text.split("\n"), 1):
        cells = row.strip().strip("|").split("|") if row.startswith("|") else [""]
        head = head if row.startswith("|") and head else cells[-1].strip()
        if head == _RECORDING and cells[-1].strip() != head:
            yield line, re.sub(r"\[.*?\]|\(.*?\)", "", cells[-1])


def found_in(name: str, text: str) -> Iterator[Cited]:
    """Every number that a file of this name and text cites."""
    if not _PROSE.search(text):
        return
    said = prose(name, text)
    for kind, pattern in ((_FACT, _BRACKETS), (_RECORDING, _WORDS)):
        for match in pattern.finditer(said):
            place = f"{name}:{said.count(chr(10), 0, match.start(1)) + 1}"
            numbers = expanded(match[1])
            if kind == _FACT and 0 in numbers:
                continue  # an interval, such as [0, 1]: facts count from 1
            yield from (Cited(kind, number, place) for number in numbers or [0])
    if Path(name).suffix in _MARKDOWN:
        for line, cell in _columns(said):
            for number in expanded(cell):
                yield Cited(_RECORDING, number, f"{name}:{line}")


def files(folder: Path) -> Iterator[Path]:
    """Every file that people wrote, wherever it has been moved to."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif not (
            path.name in _BUILT_FOLDERS
            or (path.name.startswith(".") and path.name not in _SHOWN_FOLDERS)
            or (path / "pyvenv.cfg").exists()
        ):
            yield from files(path)


def citations(root: Path) -> list[Cited]:
    """Of a whole tree, but for this file, whose examples cite nothing."""
    return [
        cited
        for path in files(root)
        if path.suffix in _PYTHON | _MARKDOWN | _HASHED and path != Path(__file__)
        for cited in found_in(str(path.relative_to(root)), path.read_text("utf-8", "replace"))
    ]


class Fact(NamedTuple):
    number: int
    text: str
    source: str


def facts(text: str) -> list[Fact]:
    """The facts of a page, as they come; source is empty where a fact has none."""
    return [
        Fact(int(number), body, source[1] if (source := _SOURCE.search(body)) else "")
        for number, body in _ENTRY.findall(text)
    ]


def complaints(cited: list[Cited], known: set[int], recorded: set[int]) -> list[str]:
    """Every citation of something that is not there."""
    there = {_FACT: known, _RECORDING: recorded}
    return [
        f"{each.place}: there is no {each.kind} {each.number}"
        for each in cited
        if each.number not in there[each.kind]
    ]


def uncited(cited: list[Cited], known: set[int]) -> list[int]:
    """The facts that no file but their own page cites."""
    used = {
        each.number
        for each in cited
        if each.kind == _FACT and not each.place.startswith(f"{FACTS}:")
    }
    return sorted(known - used)


def disorder(page: list[Fact]) -> list[int]:
    """The numbers that do not come after the one before them, or come twice."""
    numbers = [fact.number for fact in page]
    behind = {later for earlier, later in pairwise(numbers) if later <= earlier}
    return sorted(behind | {number for number, times in Counter(numbers).items() if times > 1})


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
    assert suffixes >= {(_FACT, ".py"), (_FACT, ".md"), (_FACT, ".yaml"), (_FACT, ".sh")}
    assert suffixes >= {(_RECORDING, ".py"), (_RECORDING, ".md")}
    assert len(_all()) > 300


def test_facts_are_in_order() -> None:
    """Can a fact be found by leafing, and does no number stand for two of them?"""
    assert disorder(_page()) == []


def test_every_fact_says_where_it_is_from() -> None:
    """Does each fact have a source that begins with a name from the page's own list?"""
    listed = (ROOT / FACTS).read_text("utf-8").partition("\n## Sources\n")[2].partition("\n## ")[0]
    known = re.compile(rf"(?:{'|'.join(_KNOWN.findall(listed))})s?\b")
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
        (_FACT, number) for number in numbers
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
        (_RECORDING, number) for number in numbers
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
        Cited(_FACT, 1, "x.py:1"),
        Cited(_FACT, 2, f"{FACTS}:9"),
        Cited(_RECORDING, 3, "x.py:1"),
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
