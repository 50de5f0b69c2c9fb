"""What the pages for people name is there: files, folders, names in files, and links.

In backticks: a path from the root (`tests/recordings`), from `controller/` (`engine/queue`), or
from the page's own folder; with a star or two for several (`tests/unit/test_k8s_*.py`); and, after
`::`, a name in it, as pytest writes it (`engine/ports.py::Registry`). In blocks of code: words
that begin with a folder of the root.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "docs/facts.md"
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))

_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(r"^Source: .+?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)  # of other projects
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

_OURS = ("controller", "store", "tests", "k8s", "docs", ".ci")
# `::` and a name may follow a path to Python; a path is words, stars and slashes, or has an ending.
_WORDS = r"[\w.*-]+"
_PATH = re.compile(rf"((?:{_WORDS}/)+(?:{_WORDS})?|{_WORDS}\.(?:py|sh|md|toml|ini))(?:::([\w.]+))?")
_IN_FENCE = re.compile(rf"(?<![\w./:-])((?:{'|'.join(_OURS)})/[\w./-]*\w)")


@cache
def rooms() -> frozenset[str]:
    """The folders that a path may begin with when it is told from `controller/`."""
    return frozenset(path.name for path in (ROOT / "controller").iterdir() if path.is_dir())


def named(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, path and name of what a page says is there. Places of other projects are passed over:
    what a fact was taken from, and what begins with no folder of ours.
    """
    prose = _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    prose = _SOURCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), prose)
    for span in _SPAN.finditer(prose):
        match = _PATH.fullmatch(span[1])
        if match is None:
            continue
        first, slash, _ = match[1].partition("/")
        if not slash or first in _OURS or first in rooms():
            yield prose.count("\n", 0, span.start()) + 1, match[1], match[2] or ""
    for fence in _FENCE.finditer(text):
        for word in _IN_FENCE.finditer(fence[0]):
            yield text.count("\n", 0, fence.start() + word.start()) + 1, word[1], ""


def found(page: Path, path: str) -> list[Path]:
    """What a path can mean on this page."""
    for base in (ROOT, ROOT / "controller", page.parent):
        if there := sorted(base.glob(path.rstrip("/"))):
            return there
    return []


def has_name(path: Path, name: str) -> bool:
    """Whether a module defines this, down to methods, fields and constants."""
    scope: list[ast.stmt] = ast.parse(path.read_text("utf-8")).body
    for part in name.split("."):
        inner = next((node for node in scope if part in _defined(node)), None)
        if inner is None:
            return False
        scope = inner.body if isinstance(inner, ast.ClassDef) else []
    return True


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def anchors(page: Path) -> set[str]:
    """What its headings are called in links, as GitHub does it."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    plain = [re.sub(r"[^\w\s-]", "", heading.lower()) for heading in _HEADING.findall(text)]
    return {heading.strip().replace(" ", "-") for heading in plain}


def complaints(page: Path) -> list[str]:
    """Everything that the page names and that is not there, with its line."""
    text, wrong = page.read_text("utf-8"), []
    for line, path, name in named(text):
        there = found(page, path)
        if not there:
            wrong.append(f"{page.name}:{line}: there is no {path}")
        elif name and not has_name(there[0], name):
            wrong.append(f"{page.name}:{line}: there is no {name} in {path}")
    for link in _LINK.finditer(_FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)):
        target, _, anchor = link[1].partition("#")
        other = page.parent / target if target else page
        line = text.count("\n", 0, link.start()) + 1
        if ":" in target:
            continue  # elsewhere in the world
        if not other.exists():
            wrong.append(f"{page.name}:{line}: there is no {target} to link to")
        elif anchor and anchor not in anchors(other):
            wrong.append(f"{page.name}:{line}: there is no heading {anchor} in {other.name}")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    """Does each path, name and link lead somewhere?"""
    assert complaints(page) == []


def test_paths_are_found_at_all() -> None:
    """Are the real pages read, and is not everything passed over?"""
    assert {page.name for page in PAGES if list(named(page.read_text("utf-8")))} >= {
        *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"),
        *("kubernetes.md", "simulator.md", "verdicts.md", "facts.md"),
    }


def test_every_room_is_drawn() -> None:
    """Does each folder with code have its sentence in ARCHITECTURE.md?"""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    folders = {
        path.parent.relative_to(ROOT)
        for package in ("controller", "store")
        for path in (ROOT / package).rglob("*.py")
    }
    assert [str(folder) for folder in sorted(folders) if f"\n| `{folder}` |" not in text] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("see `controller/base/clock.py`, `base/clock.py`, `controller/base`, `tox.ini`", []),
        ("see `tests/unit/test_docs_*.py` and `store/`, not `pods/log` or `/ext/health`", []),
        ("see `base/clock.py::Clock.sleep`, `domain/defaults.py::Rules.soak`", []),
        ("see `domain/run.py::Reason.NO_PEERS` and `domain/run.py::OPEN`", []),
        ("see `controller/base/clocks.py`", ["controller/base/clocks.py"]),
        ("see `base/clocks.py`", ["base/clocks.py"]),
        ("see `clock.py`", ["clock.py"]),
        ("see `tests/unit/test_x_*.py`", ["tests/unit/test_x_*.py"]),
        ("see `base/clock.py::Clock.slept`", ["Clock.slept in base/clock.py"]),
        ("```sh\nkubectl apply -k k8s/overlays/odd\n```\n", ["k8s/overlays/odd"]),
        ("Source: AVA `node/node.go:7`,\n`controller/x.go`.\n\nSee `node/x.py`.", ["node/x.py"]),
        ("see [it](tox.ini), [this](#so-it-is) and [that](https://x.y/z)\n\n# So it is\n", []),
        ("see [it](toxic.ini)", ["toxic.ini to link to"]),
        ("see [it](README.md#nowhere)", ["heading nowhere in README.md"]),
    ],
)
def test_what_is_not_there_is_seen(tmp_path: Path, text: str, wrong: list[str]) -> None:
    """Is each way of naming something understood, and is what is gone complained about?"""
    for name in ("tox.ini", "README.md"):
        (tmp_path / name).write_text("# Title\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert [each.partition("there is no ")[2] for each in complaints(page)] == wrong


def test_a_complaint_has_its_line(tmp_path: Path) -> None:
    """Does it lead to the line, also behind a block of code?"""
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```sh\nls k8s/odd\n```\n\nsee `base/odd.py`\n")
    assert [each.partition(": ")[0] for each in complaints(page)] == ["page.md:7", "page.md:4"]
