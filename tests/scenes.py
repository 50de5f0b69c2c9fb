"""The recorded scenes of a real avalanchego (tests/recordings/avalanchego-1.14.2/README.md)."""

import gzip
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings" / "avalanchego-1.14.2"
KEPT_BY_KUBELET = 2048  # bytes of a log's end that a pod's status keeps [K pkg/kubelet/kuberuntime]

_METRICS = re.compile(r"-metrics-(\d+)s(-whole)?\.txt\.gz$")


@dataclass(frozen=True)
class Answered:
    """One question and its answer."""

    at: float  # seconds since the node's start
    method: str
    path: str
    rpc: str  # method of JSON-RPC; empty for GET
    params: Any  # of JSON-RPC; None for GET, or where they are told in words
    status: int | None  # None: nobody listened
    headers: dict[str, str]
    body: str
    words: str = ""  # what was asked behind the path, as the recording tells it


@dataclass(frozen=True)
class Scene:
    name: str

    @cached_property
    def about(self) -> dict[str, Any]:
        """What was done: `what`, `flags`, `env`, `c_config`, `exit`, `signal`, `seconds`."""
        found: dict[str, Any] = json.loads((FOLDER / f"{self.name}.json").read_text())
        return found

    @property
    def exit_code(self) -> int:
        return int(self.about["exit"])

    @cached_property
    def log(self) -> bytes:
        """Of stdout and stderr, but for lines left out where a line begins with `…`."""
        return (FOLDER / f"{self.name}.log").read_bytes()

    @property
    def kept_by_kubelet(self) -> bytes:
        return self.log[-KEPT_BY_KUBELET:]

    @cached_property
    def answers(self) -> tuple[Answered, ...]:
        """Oldest first: the first of each shape, and the last."""
        path = FOLDER / f"{self.name}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return tuple(_answered(row) for line in lines if "ask" in (row := json.loads(line)))

    @cached_property
    def notes(self) -> tuple[tuple[float, str], ...]:
        """(second, what was done to the node)."""
        path = FOLDER / f"{self.name}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines]
        return tuple((row["t"], row["note"]) for row in rows if "note" in row)

    @cached_property
    def metrics(self) -> dict[int, str]:
        """Second to the page; of some only the families that tell of progress, peers and health."""
        pages = {}
        for path in sorted(FOLDER.glob(f"{self.name}-metrics-*.txt.gz")):
            rest = path.name.removeprefix(self.name)
            if found := _METRICS.fullmatch(rest):
                pages[int(found[1])] = gzip.decompress(path.read_bytes()).decode()
        return pages


def scenes() -> tuple[Scene, ...]:
    """All of them, by name."""
    return tuple(Scene(path.stem) for path in sorted(FOLDER.glob("*.json")) if _is_scene(path))


def scene(name: str) -> Scene:
    assert (FOLDER / f"{name}.json").exists(), name
    return Scene(name)


def _is_scene(path: Path) -> bool:
    return path.with_suffix(".log").exists()


def _answered(row: dict[str, Any]) -> Answered:
    method, path, *rest = row["ask"].split(" ", 2)
    rpc, _, params = rest[0].partition(" ") if rest else ("", "", "")
    try:
        given = json.loads(params)
    except ValueError:
        given = None
    return Answered(
        row["t"],
        method,
        path,
        rpc,
        given,
        row["status"],
        row.get("headers") or {},
        row["body"] if isinstance(row["body"], str) else json.dumps(row["body"]),
        " ".join(rest),
    )
