"""Reads the citations of the house: what a number in square brackets stands for.

`[92]`, `[86, 87]` and `[97-102]` are facts of docs/facts.md; `recording 30` and `recordings 20-31`
are files of tests/recordings; `[K pkg/kubelet/kubelet_pods.go]` is a place in the source of
Kubernetes, of which only the form can be looked at. They are looked for in all of Markdown but its
code, and elsewhere in comments and, in Python, in strings: where people read, and not where code
has its brackets.
"""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FACTS = Path("docs/facts.md")
_EXAMPLES = (Path(__file__), ROOT / "tests/unit/test_citations.py")

FACT, RECORDING = "fact", "recording"

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

# A place in the source of Kubernetes: a path from where docs/facts.md says, and maybe a name in it.
_PLACE = re.compile(r"\[K\s([^\]]*)\]|\bK\s(?=(?:pkg|staging)/)")
_PLACE_FORM = re.compile(
    r"(?:pkg|api|apimachinery|apiserver|client-go|cri-client)(?:/[\w.-]+)+(?:,\s+\w+)?"
)

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
KNOWN = re.compile(r"\*\*([A-Za-z ]+)\*\*:")


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
        if head == RECORDING and cells[-1].strip() != head:
            yield line, re.sub(r"\[.*?\]|\(.*?\)", "", cells[-1])


def found_in(name: str, text: str) -> Iterator[Cited]:
    """Every number that a file of this name and text cites."""
    if not _PROSE.search(text):
        return
    said = prose(name, text)
    for kind, pattern in ((FACT, _BRACKETS), (RECORDING, _WORDS)):
        for match in pattern.finditer(said):
            place = f"{name}:{said.count(chr(10), 0, match.start(1)) + 1}"
            numbers = expanded(match[1])
            if kind == FACT and 0 in numbers:
                continue  # an interval, such as [0, 1]: facts count from 1
            yield from (Cited(kind, number, place) for number in numbers or [0])
    if Path(name).suffix in _MARKDOWN:
        for line, cell in _columns(said):
            for number in expanded(cell):
                yield Cited(RECORDING, number, f"{name}:{line}")


def odd_places(name: str, text: str) -> Iterator[str]:
    """What cites the source of Kubernetes and names no path in it, or stands in no brackets."""
    if "K " not in text and "K\n" not in text:
        return
    said = prose(name, text)
    for match in _PLACE.finditer(said):
        if not _PLACE_FORM.fullmatch(match[1] or ""):
            yield f"{name}:{said.count(chr(10), 0, match.start()) + 1}: {match[0].strip()}"


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


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Name and text of all that may cite, but for examples, which cite nothing."""
    for path in files(root):
        if path.suffix in _PYTHON | _MARKDOWN | _HASHED and path not in _EXAMPLES:
            yield str(path.relative_to(root)), path.read_text("utf-8", "replace")


def citations(root: Path) -> list[Cited]:
    """Of a whole tree."""
    return [cited for name, text in texts(root) for cited in found_in(name, text)]


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
    there = {FACT: known, RECORDING: recorded}
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
        if each.kind == FACT and not each.place.startswith(f"{FACTS}:")
    }
    return sorted(known - used)


def disorder(page: list[Fact]) -> list[int]:
    """The numbers that do not come after the one before them, or come twice."""
    numbers = [fact.number for fact in page]
    behind = {later for earlier, later in pairwise(numbers) if later <= earlier}
    return sorted(behind | {number for number, times in Counter(numbers).items() if times > 1})
