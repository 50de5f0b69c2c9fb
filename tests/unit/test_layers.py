"""The import rule of the house: who may import whom, and where third parties live.

Read from the syntax trees, so that an import inside a function counts too.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_TOP = {"controller.option_table", "controller.option_values", "controller.settings"}

_ADAPTERS = {"controller.kube", "controller.registry", "controller.node"}

# A room may import itself and these; a longer name than the one that stands here is in that room.
MAY_IMPORT: dict[str, set[str]] = {
    "store": set(),
    "controller.base": set(),
    "controller.domain": {"controller.base"},
    "controller.kube": {"controller.domain", "controller.base"},
    "controller.registry": {"controller.domain", "controller.base"},
    "controller.node": {"controller.domain", "controller.base"},
    "controller.notify": {"controller.domain", "controller.base"},
    "controller.simulator": {"controller.domain", "controller.base"},
    "controller.engine": {"controller.domain", "controller.base", "store.api", "store.passing"},
    "controller.option_table": {"controller.domain", "controller.base"},
    "controller.option_values": {"controller.domain", "controller.base"},
    "controller.settings": {*_TOP, "controller.domain", "controller.base"},
    "controller.listen": {"controller.base"},
    # a scenario on the simulator, and the controller beside it as a process of its own
    "controller.demo": {"controller.simulator", "controller.domain", "controller.base"},
    # makes the adapters, for the controller and for the commands that only look
    "controller.wiring": {
        *_TOP,
        *_ADAPTERS,
        "controller.engine",
        "controller.domain",
        "controller.base",
        "store",
    },
    "controller.inspection": {
        "controller.settings",
        "controller.wiring",
        "controller.kube",
        "controller.engine",
        "controller.domain",
        "controller.base",
        "store",
    },
    "controller.metering": {"controller.engine", "controller.domain", "controller.base"},
    "controller.leases": {"controller.kube", "controller.base"},
    "controller.leading": {
        "controller.wiring",
        "controller.metering",
        "controller.engine",
        "controller.kube",
        "controller.notify",
        "controller.domain",
        "controller.base",
        "store.api",
    },
    "controller.app": {
        "controller.leading",
        "controller.leases",
        *_TOP,
        *_ADAPTERS,
        "controller.wiring",
        "controller.listen",
        "controller.notify",
        "controller.engine",
        "controller.domain",
        "controller.base",
        "store",
    },
    # commands show what the others found, and run the demo on the simulator
    "controller.cli": {
        *_TOP,
        "controller.app",
        "controller.wiring",
        "controller.inspection",
        "controller.demo",
        "controller.simulator",
        "controller.engine",
        "controller.domain",
        "controller.base",
        "store",
    },
    "controller.__main__": {"controller.cli"},
    "controller": set(),
}

# Third parties that may be used everywhere: logs, and encoding what is written.
EVERYWHERE = {"loguru", "orjson"}

_HTTP = {
    "controller.kube",
    "controller.registry",
    "controller.node",
    "controller.simulator",
    "controller.listen",
    "controller.app",
}

# The others live where they are named, and nowhere else.
HOMES: dict[str, set[str]] = {
    "aiohttp": _HTTP,
    "yarl": _HTTP,  # aiohttp's own URLs
    "multidict": _HTTP,  # and headers
    "kubernetes_asyncio": {"controller.kube"},
    "redis": {"store"},
    "msgspec": {"controller.kube", "controller.domain", "controller.registry", "controller.node"},
    "datadog": {"controller.notify"},
    "prometheus_client": {"controller.base.metrics", "controller.listen"},
    "typer": {"controller.cli"},
    "rich": {"controller.cli"},
}


def room_of(module: str, rooms: set[str] | dict[str, set[str]]) -> str | None:
    """The longest of these names that the module is, or is in."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in names if name in rooms), None)


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of every module of the project."""
    for package in ("controller", "store"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of what a module imports, relative names made whole, wherever it stands."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join(base) if node.level else ""
            name = f"{start}.{node.module}".strip(".") if node.module else start
            for alias in node.names:  # a name may be a module: `from controller import settings`
                yield node.lineno, f"{name}.{alias.name}"


def complaint(module: str, imported: str) -> str | None:
    """Why this import breaks the rule; None if it does not."""
    first = imported.partition(".")[0]
    if first in ("controller", "store"):
        return _first_party(module, imported)
    if first in sys.stdlib_module_names or first in EVERYWHERE:
        return None
    homes = HOMES.get(first)
    if homes is None:
        return f"{first} has no home: name one in HOMES, and in ARCHITECTURE.md"
    if room_of(module, homes) is None:
        return f"{first} lives in {', '.join(sorted(homes))}"
    return None


def _first_party(module: str, imported: str) -> str | None:
    own = room_of(module, MAY_IMPORT)
    if own is None:
        return f"{module} has no room: name it in MAY_IMPORT"
    allowed = MAY_IMPORT[own] | {own}
    if own == "controller":
        allowed = MAY_IMPORT[own]  # the package itself is no licence for all that is in it
    if room_of(imported, allowed) is None:
        return f"{own} may import {', '.join(sorted(allowed)) or 'nothing of ours'}"
    return None


def complaints(root: Path) -> list[str]:
    """Every import that breaks the rule."""
    return [
        f"{path.relative_to(root)}:{line}: {name}: {why}"
        for module, path in modules(root)
        for line, name in imports(module, path)
        if (why := complaint(module, name)) is not None
    ]


def test_imports_go_one_way() -> None:
    """Does every import of the project keep to the rule?"""
    assert complaints(ROOT) == []


def test_every_module_is_looked_at() -> None:
    """Is the rule checked on the real tree, and not on an empty one?"""
    names = {module for module, _ in modules(ROOT)}
    assert {"controller.base.clock", "controller.settings", "store.api"} <= names


def test_every_room_stands_in_the_table_once_it_exists() -> None:
    """Does a new package or module at the top need a decision about what it may import?"""
    strangers = [
        module for module, _ in modules(ROOT) if room_of(module, MAY_IMPORT) in (None, "controller")
    ]
    assert [module for module in strangers if module != "controller"] == []


@pytest.mark.parametrize(
    ("path", "source", "why"),
    [
        ("controller/domain/x.py", "from controller.kube import client", "controller.domain may"),
        ("controller/base/x.py", "import controller.domain.run", "controller.base may import"),
        ("controller/kube/x.py", "from controller.registry.client import C", "controller.kube may"),
        ("controller/kube/x.py", "from ..registry import client", "controller.kube may import"),
        ("controller/kube/x.py", "def f():\n  import controller.node", "controller.kube may"),
        ("controller/engine/x.py", "from store.redis_store import R", "controller.engine may"),
        ("controller/engine/x.py", "import store", "controller.engine may import"),
        ("controller/engine/x.py", "from controller import settings", "controller.engine may"),
        ("controller/simulator/x.py", "from controller.kube import lines", "controller.simulator"),
        ("controller/notify/x.py", "from controller.engine.ports import Sink", "controller.notify"),
        ("controller/__init__.py", "from controller.base import clock", "controller may import"),
        ("controller/fresh.py", "from controller.base import clock", "controller may import"),
        ("store/x.py", "from controller.base.clock import Clock", "store may import"),
        ("store/x.py", "import aiohttp", "aiohttp lives in"),
        ("controller/engine/x.py", "import aiohttp", "aiohttp lives in"),
        ("controller/kube/x.py", "import redis.asyncio", "redis lives in store"),
        ("controller/engine/x.py", "from msgspec import json", "msgspec lives in"),
        ("controller/base/x.py", "import prometheus_client", "prometheus_client lives in"),
        ("controller/app.py", "import typer", "typer lives in controller.cli"),
        ("controller/engine/x.py", "import datadog", "datadog lives in controller.notify"),
        ("controller/registry/x.py", "import kubernetes_asyncio", "kubernetes_asyncio lives in"),
        ("controller/kube/x.py", "import httpx", "httpx has no home"),
    ],
)
def test_a_violation_is_found(tmp_path: Path, path: str, source: str, why: str) -> None:
    """Does the checker see each kind of wrong import, relative and hidden ones too?"""
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(source)
    found = complaints(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(path)
    assert why in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("controller/engine/x.py", "from store.api import StateStore"),
        ("controller/engine/x.py", "from store import api"),
        ("controller/kube/x.py", "from . import client\nfrom .client import C"),
        ("controller/base/metrics.py", "from prometheus_client import Gauge"),
        ("controller/app.py", "import store\nfrom controller import settings\nimport aiohttp"),
        (
            "controller/cli/x.py",
            "from controller.simulator.demo import x\nimport typer, rich.table",
        ),
        ("controller/domain/x.py", "import msgspec, orjson, json\nfrom loguru import logger"),
        ("controller/__main__.py", "from controller.cli.main import main"),
    ],
)
def test_what_is_allowed_is_not_complained_about(tmp_path: Path, path: str, source: str) -> None:
    """Does the checker let the right imports pass?"""
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(source)
    assert complaints(tmp_path) == []
