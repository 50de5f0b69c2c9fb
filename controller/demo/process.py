"""The controller as a process: started, killed without a warning, and started again."""

import asyncio
import signal
import sys
from pathlib import Path

# The demo's durations: short, because its nodes bootstrap in seconds. The rest is as in production.
DURATIONS = {
    "--poll-interval": "500ms",
    "--settle": "1s",
    "--probe-interval": "250ms",
    "--resync-interval": "5s",
}
# The pod's name, which a restarted container keeps: its Lease is its own again at once.
POD_NAME = "bootstrap-controller-0"


class ControllerProcess:
    """`python -m controller run`, with its log in a file."""

    def __init__(self, kubeconfig: Path, registry_url: str, log: Path) -> None:
        self._flags = [
            "--kubeconfig",
            str(kubeconfig),
            "--registry",
            f"docker.io={registry_url}",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            *(word for pair in DURATIONS.items() for word in pair),
        ]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "controller.demo.child",
                "run",
                *self._flags,
                stdin=asyncio.subprocess.PIPE,  # held, and never written to: see there
                stdout=log,
                stderr=log,
                env={"POD_NAME": POD_NAME, "PYTHONPATH": _path(), "HOME": str(self._log.parent)},
            )

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is given back."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, as Kubernetes stops a pod."""
        await self._end(signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.returncode is not None

    def last_lines(self, count: int = 5) -> list[str]:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return lines[-count:]

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(how)
        await process.wait()


def _path() -> str:
    """Where this very package is imported from, so that the demo needs no installation."""
    return str(Path(__file__).parents[2])
