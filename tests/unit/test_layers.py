"""The import rule of the house: who may import whom, and where third parties live.

Read from the syntax trees, so that an import inside a function counts too.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BASE = {"controller.base"}
SETTINGS = {"controller.settings"}

# The rooms of `domain`, lowest first: each may import those before it.
_MANIFEST = {*BASE, "controller.domain"}
_RECORD = {*_MANIFEST, "controller.domain.manifest"}
_NODE_LOG = {*_RECORD, "controller.domain.record"}
_PODS = {*_NODE_LOG, "controller.domain.node_log"}
_HEALTH = {*_PODS, "controller.domain.pods", "controller.domain.pace"}
_DECIDE = {*_PODS, *_HEALTH, "controller.domain.health"}
DOMAIN = {*_DECIDE, "controller.domain.decide"}

# The rooms of `engine`; what they ask of the outside stands in `ports`.
_PORTS = {*DOMAIN, "controller.engine.ports", "store.api"}
_QUEUE, _CLAIMS = "controller.engine.queue", "controller.engine.claims"
_TELLING, _POLLING = "controller.engine.telling", "controller.engine.polling"
_PROBING, _EVIDENCE = "controller.engine.probing", "controller.engine.evidence"
_RECONCILE = {*_PORTS, _QUEUE, _CLAIMS, _TELLING, _POLLING, _PROBING, _EVIDENCE}
ENGINE = {*_RECONCILE, "controller.engine.reconcile", "controller.engine"}

# The rooms of `kube`; its root is plugged together from them.
_API = {*DOMAIN, "controller.kube.login"}
_WATCH = {*DOMAIN, "controller.kube.api"}
KUBE = {*_API, *_WATCH, "controller.kube.watch", "controller.kube"}

STORE = {"store", "store.api", "store.leftovers", "store.opening"}

# The rooms of the simulator. Its registry has images that say how their node will run.
_SIMULATED = {*DOMAIN, "controller.simulator.faults"}
_NODE, _REGISTRY = "controller.simulator.node", "controller.simulator.registry"
_APISERVER = "controller.simulator.apiserver"
_WORKLOADS = {*_SIMULATED, _NODE, _REGISTRY, _APISERVER}
SIMULATOR = {*_WORKLOADS, "controller.simulator.workloads", "controller.simulator"}

# A room may import itself and these. A room is a folder, or a file that has a rule of its own; what
# is below a name that stands here, and has none of its own, is in that room.
MAY_IMPORT: dict[str, set[str]] = {
    "store.api": set(),
    "store.expiring": set(),
    "store.limits": {"store.api"},
    "store.passing_on": {"store.api"},
    "store.read_only": {"store.api", "store.passing_on"},
    "store.memory": {"store.api", "store.expiring", "store.limits"},
    "store.leftovers": set(),
    "store.redis": {"store.api", "store.leftovers", "store.limits"},
    "store.opening": {"store.api", "store.limits", "store.memory", "store.redis"},
    "store": {
        "store.api",
        "store.leftovers",
        "store.memory",
        "store.opening",
        "store.passing_on",
        "store.read_only",
    },
    "controller.base": set(),
    "controller.domain": BASE,
    "controller.domain.manifest": _MANIFEST,
    "controller.domain.record": _RECORD,
    "controller.domain.node_log": _NODE_LOG,
    "controller.domain.pods": _PODS,
    "controller.domain.pace": BASE,
    "controller.domain.health": _HEALTH,
    "controller.domain.decide": _DECIDE,
    "controller.engine.ports": {*DOMAIN, "store.api"},
    _QUEUE: {*BASE, "store.api"},
    _CLAIMS: {*_PORTS, "store.limits", "store.passing_on"},
    _TELLING: _PORTS,
    _POLLING: {*_PORTS, _QUEUE},
    _PROBING: {*_PORTS, _TELLING},
    _EVIDENCE: _PORTS,
    "controller.engine.reconcile": _RECONCILE,
    "controller.engine": ENGINE,
    "controller.kube.login": BASE,
    "controller.kube.api": _API,
    "controller.kube.watch": _WATCH,
    "controller.kube": KUBE,
    "controller.registry": DOMAIN,
    "controller.node": DOMAIN,
    "controller.notify": DOMAIN,
    "controller.settings": DOMAIN,
    "controller.simulator.faults": BASE,
    _NODE: _SIMULATED,
    _REGISTRY: {*_SIMULATED, _NODE},
    _APISERVER: _SIMULATED,
    "controller.simulator.workloads": _WORKLOADS,
    "controller.simulator": SIMULATOR,
    # a scenario on the simulator, and the controller beside it as a process of its own
    "controller.demo": SIMULATOR,
    # makes the adapters, and runs the engine with them
    "controller.process": {
        *SETTINGS,
        "controller.views",
        "controller.page",
        *KUBE,
        "controller.registry",
        "controller.node",
        "controller.notify",
        *ENGINE,
        *STORE,
    },
    # what people look at, in plain values: for commands, page and API alike
    "controller.views": {*DOMAIN, _TELLING, _PROBING, "store.api"},
    # the page and the API in the controller's process; `process` plugs in what it shows
    "controller.page": {*DOMAIN, "controller.views", "store.api"},
    # the page of what the controller tells the outside
    "controller.reference": {*DOMAIN, "controller.notify", "controller.page", "store.redis"},
    # what the commands look at, beside a controller that works
    "controller.inspection": {
        *SETTINGS,
        "controller.process",
        "controller.views",
        *KUBE,
        *ENGINE,
        *STORE,
    },
    # commands show what the others found, and run the demo on the simulator
    "controller.cli": {
        *SETTINGS,
        "controller.process",
        "controller.inspection",
        "controller.views",
        "controller.page",
        "controller.demo",
        *SIMULATOR,
        *ENGINE,
        *STORE,
    },
    "controller.__main__": {"controller.cli"},
    "controller": set(),
}

# Third parties that may be used everywhere: logs, and encoding what is written.
EVERYWHERE = {"loguru", "orjson"}

_HTTP = {
    "controller.base.http_errors",
    "controller.base.http_limits",
    "controller.base.listening",
    "controller.kube",
    "controller.registry",
    "controller.node",
    "controller.simulator",
    "controller.notify.webhook_sink",
    "controller.process.listener",
    "controller.page",
}

# The others live where they are named, and nowhere else.
HOMES: dict[str, set[str]] = {
    "aiohttp": _HTTP,
    # aiohttp's own URLs, also where a person's are read
    "yarl": {
        *_HTTP,
        "controller.base.http_url",
        "controller.domain.mirrors",
        "controller.domain.node_url",
    },
    "multidict": _HTTP,  # and headers
    "kubernetes_asyncio": {"controller.kube.login.kubeconfig.without_models"},
    "redis": {"store"},
    "yaml": {"controller.inspection.manifest_file", "controller.kube.login.kubeconfig"},
    "msgspec": {
        "controller.base.undecodable",
        "controller.kube",
        "controller.domain",
        "controller.registry",
        "controller.node",
        "controller.views",
        "controller.page",
    },
    "jinja2": {"controller.page"},
    "markupsafe": {"controller.page"},  # what jinja2 escapes with
    "datadog": {"controller.notify"},
    "prometheus_client": {"controller.base.metrics", "controller.process.listener"},
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
    own, other = room_of(module, MAY_IMPORT), room_of(imported, MAY_IMPORT)
    if own is None:
        return f"{module} has no room: name it in MAY_IMPORT"
    if other == own != "controller" or other in MAY_IMPORT[own]:
        return None
    return f"{own} may import {', '.join(sorted(MAY_IMPORT[own])) or 'nothing of ours'}"


def complaints(root: Path) -> list[str]:
    """Every import that breaks the rule."""
    return [
        f"{path.relative_to(root)}:{line}: {name}: {why}"
        for module, path in modules(root)
        for line, name in imports(module, path)
        if (why := complaint(module, name)) is not None
    ]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Names that lead back to themselves, one way of each circle."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append([*way[way.index(name) :], name])
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                walk(other, [*way, name])
            done.add(name)

    for name in sorted(graph):
        walk(name, [])
    return found


def module_graph(root: Path) -> dict[str, set[str]]:
    """Each module of the project to those that it imports, also where only types are checked."""
    known = dict(modules(root))
    return {
        module: {
            other
            for _, name in imports(module, path)
            if (other := room_of(name, set(known))) not in (None, module)
        }
        for module, path in known.items()
    }


def test_no_imports_lead_in_a_circle() -> None:
    """Can every module be read after those that it imports?"""
    assert circles(module_graph(ROOT)) == []


def test_no_rooms_lead_in_a_circle() -> None:
    """Do the arrows between rooms go one way in the table itself?"""
    assert circles({room: others - {room} for room, others in MAY_IMPORT.items()}) == []


def test_a_circle_is_found() -> None:
    """Does the search see a circle that begins in the middle of a way?"""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]


def test_imports_go_one_way() -> None:
    """Does every import of the project keep to the rule?"""
    assert complaints(ROOT) == []


def test_every_module_is_looked_at() -> None:
    """Is the rule checked on the real tree, and not on an empty one?"""
    names = {module for module, _ in modules(ROOT)}
    assert {"controller.base.clock", "controller.settings.settings", "store.api"} <= names


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
        ("controller/engine/x.py", "from store.redis.store import R", "controller.engine may"),
        ("controller/engine/x.py", "import store", "controller.engine may import"),
        ("controller/engine/x.py", "from controller import settings", "controller.engine may"),
        ("controller/simulator/x.py", "from controller.kube import lines", "controller.simulator"),
        ("controller/notify/x.py", "from controller.engine.ports import Sink", "controller.notify"),
        ("controller/__init__.py", "from controller.base import clock", "controller may import"),
        ("controller/fresh.py", "from controller.base import clock", "controller may import"),
        ("store/x.py", "from controller.base.clock import Clock", "store may import"),
        ("store/x.py", "import aiohttp", "aiohttp lives in"),
        ("controller/engine/x.py", "import aiohttp", "aiohttp lives in"),
        ("controller/base/x.py", "import aiohttp", "aiohttp lives in"),
        ("controller/domain/x.py", "import yarl", "yarl lives in"),
        ("controller/kube/x.py", "import redis.asyncio", "redis lives in store"),
        ("controller/engine/x.py", "from msgspec import json", "msgspec lives in"),
        ("controller/base/x.py", "import prometheus_client", "prometheus_client lives in"),
        ("controller/process/app.py", "import typer", "typer lives in controller.cli"),
        ("controller/engine/x.py", "import datadog", "datadog lives in controller.notify"),
        ("controller/registry/x.py", "import kubernetes_asyncio", "kubernetes_asyncio lives in"),
        (
            "controller/kube/login/x.py",
            "from kubernetes_asyncio import config",
            "kubernetes_asyncio lives in controller.kube.login.kubeconfig.without_models",
        ),
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
        (
            "controller/process/app.py",
            "import store\nfrom controller import settings",
        ),
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
