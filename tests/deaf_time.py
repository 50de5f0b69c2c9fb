"""For how long the init container's script is deaf as process 1 of a PID namespace: from the moment
at which bash is started until it has a handler for SIGTERM. `python -m tests.deaf_time [COUNT]`
tells it in milliseconds. Needs root, and unshare of util-linux; takes about 20 ms each.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.namespaces import ALONE
from tests.volume import SCRIPT

# `sh` says a line and becomes bash; the script's head says another one when its trap is set.
_BECOMES_BASH = 'echo; exec bash "$0"'


def head_of_script() -> str:
    """To its first `trap`, and a line that it says then."""
    lines = SCRIPT.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("trap "))
    return "\n".join([*lines[: first + 1], "echo", ""])


def deaf_times(count: int) -> Iterator[float]:
    """Milliseconds, one for each start."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "head.sh"
        script.write_text(head_of_script())
        command = [*ALONE, "sh", "-c", _BECOMES_BASH, str(script)]
        for _ in range(count):
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                os.read(process.stdout.fileno(), 1)
                began = time.perf_counter()
                os.read(process.stdout.fileno(), 1)
                yield (time.perf_counter() - began) * 1000


def main() -> None:
    times = sorted(deaf_times(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
    sys.stdout.write(
        f"deaf for {statistics.median(times):.1f} ms (median),"
        f" {times[int(len(times) * 0.9)]:.1f} ms (nine of ten), {times[-1]:.1f} ms (longest)\n"
    )


if __name__ == "__main__":
    main()
