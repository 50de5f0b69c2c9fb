"""A target's volume on this machine, with the init container's real script run on it by bash."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "k8s" / "targets" / "base" / "prepare-data.sh"
STAND_IN = REPOSITORY / "tests" / "stand_in_avalanchego.sh"
MARKER = ".bootstrap-run.json"
KILLED = -signal.SIGKILL  # as subprocess tells it

IDS = OLDEST, OLDER, RUN, NEWER = (
    "20261120t060000z-ffffffff",
    "20261121t060000z-0a0a0a0a",
    "20261122t060000z-1a2b3c4d",
    "20261123t060000z-00000000",
)

LONGEST = 60  # seconds that an execution may take: none waits for anything
LATEST = "20261124t060000z"  # what begins later is of the future
DEPLOYMENT, OTHER_DEPLOYMENT = "bootstrap/bootstrap-fuji", "bootstrap/bootstrap-mainnet"

# Kills the script and what it started before the n-th command that bash is about to run. The
# commands of functions count, too.
KILLER = """
unset BASH_ENV
__count=0
set -o functrace
trap 'if ((++__count == KILL_BEFORE)); then kill -KILL -- "-$$"; fi' DEBUG
"""

Tree = dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """How the init container ended: what it logged, and its termination message."""

    code: int
    log: str
    message: str

    @property
    def word(self) -> dict[str, object]:
        """The message as the controller reads it."""
        decoded: dict[str, object] = json.loads(self.message)
        return decoded

    @property
    def waited(self) -> bool:
        return "waiting: " in self.log


class Volume:
    """A volume and the binaries of two builds, `a` and `b`.

    tools: a directory ahead in PATH, for programs that misbehave. By default `sleep` fails there:
    a script that waits says why, and ends, so that no test has to.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.runs = self.data / "runs"
        self.tools = folder / "tools"
        self._folder = folder
        self._message = folder / "termination-log"
        for path in (self.data, self.tools):
            path.mkdir(parents=True, exist_ok=True)
        for build in ("a", "b"):
            self.binary(build).write_text(f"{STAND_IN.read_text()}# build {build}\n")
            self.binary(build).chmod(0o755)
        self.tool("sleep", "exit 1")
        self.tool("date", f"echo {LATEST}")  # the tests' ids do not depend on the machine's clock

    def binary(self, build: str) -> Path:
        return self._folder / f"avalanchego-{build}"

    def tool(self, name: str, body: str) -> None:
        path = self.tools / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def start(
        self, run: str | None, build: str = "a", wrapper: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[str]:
        """The script in a session of its own, as a container is: killed, nothing of it stays.

        wrapper: a command that runs the command after it.
        """
        self._message.write_text("")
        settings = {
            "PATH": f"{self.tools}:/usr/bin:/bin",
            "DATA_ROOT": str(self.data),
            "AVAGO_BINARY": str(self.binary(build)),
            "TERMINATION_LOG": str(self._message),
            **pod_of(DEPLOYMENT),
            **environment,
        }
        if run is not None:
            settings["RUN_ID"] = run
        return subprocess.Popen(
            [*wrapper, "bash", str(SCRIPT)],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Outcome:
        try:
            log, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        return Outcome(process.returncode, log, self._message.read_text())

    def run(
        self, run: str | None, build: str = "a", wrapper: Sequence[str] = (), **environment: str
    ) -> Outcome:
        return self.finish(self.start(run, build, wrapper, **environment))

    def run_killed(self, before: int, run: str, build: str = "a", **environment: str) -> Outcome:
        """Killed before its command number `before`, counted from one."""
        hook = self._folder / "killer"
        hook.write_text(KILLER)
        return self.run(
            run,
            build,
            BASH_ENV=str(hook),
            KILL_BEFORE=str(before),
            **environment,
        )

    def node_works(self, run: str, build: str = "a") -> None:
        """What a node leaves in its data directory: who wrote it stands in each file."""
        for name in ("db/CURRENT", "db/000001.ldb", "staking/staker.key"):
            path = self.runs / run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{run} {build}")

    def complete(self, run: str, build: str = "a", **environment: str) -> None:
        """A run that was started and has worked."""
        outcome = self.run(run, build, **environment)
        assert outcome.code == 0, outcome.log
        self.node_works(run, build)

    def tree(self) -> Tree:
        """Everything on the volume: path to content; a directory's content is `/`, a FIFO's `|`."""
        return {str(path.relative_to(self.data)): _content(path) for path in self.data.rglob("*")}


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    if path.is_dir():
        return "/"
    return "|" if path.is_fifo() else path.read_bytes().decode("latin-1")


def pod_of(deployment: str) -> dict[str, str]:
    """What the manifest tells the script of its pod. deployment: namespace/name."""
    namespace, name = deployment.split("/")
    return {"POD_NAMESPACE": namespace, "POD_NAME": f"{name}-7d9c8f5b6d-x2x4z"}


def kill(process: subprocess.Popen[str]) -> None:
    """As the kernel ends a container: the whole session at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it had ended by itself


def marker_of(tree: Tree, run: str) -> dict[str, object] | None:
    text = tree.get(f"runs/{run}/{MARKER}")
    return None if text is None else json.loads(text)


def data_of(tree: Tree, run: str) -> Tree:
    """What the node wrote, without the marker and an unfinished one."""
    head = f"runs/{run}/"
    return {
        path: content
        for path, content in tree.items()
        if path.startswith(head) and content != "/" and not path.startswith(f"{head}.bootstrap")
    }


def runs_in(tree: Tree) -> set[str]:
    return {path.split("/")[1] for path in tree if path.startswith("runs/")}
