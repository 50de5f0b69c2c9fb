"""Volumes: what lies on a claim, and survives pods."""

import asyncio
from dataclasses import dataclass, field

from controller.simulator.node.progress import Progress


@dataclass
class RunDirectory:
    """/data/runs/<run id>."""

    binary: str = ""  # hash of the binary that began it
    deployment: str = ""  # whose it is, as namespace/name; empty if its marker does not say
    resumes: int = 0  # how often a pod found it and went on
    complete: bool = True  # whether the marker lies in it; without it the directory is a ruin
    progress: Progress = field(default_factory=Progress)
    in_use: bool = False  # the database is locked by a process


class Volume:
    """One claim's contents. `tell` after a change; `changed` waits for the next one.

    runs: by run id. touched: whatever was changed or removed in it, in order, for assertions.
    fault: why it cannot be used, as the init container says it; empty while it can.
    """

    def __init__(self) -> None:
        self.fault = ""
        self.runs: dict[str, RunDirectory] = {}
        self.elsewhere: dict[str, RunDirectory] = {}
        self.touched: list[str] = []
        self._waiting: list[asyncio.Future[None]] = []

    def tell(self, what: str) -> None:
        self.touched.append(what)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def directory(self, path: str) -> RunDirectory:
        """The database at an absolute path; made if it is not there, without a marker."""
        parent, _, name = path.rstrip("/").rpartition("/")
        place = self.runs if parent == "/data/runs" else self.elsewhere
        key = name if place is self.runs else path
        if key not in place:
            place[key] = RunDirectory(complete=False)
            self.tell(f"made {path}")
        return place[key]
