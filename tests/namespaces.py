"""A command in a PID namespace of its own, on this machine's kernel."""

import os
import subprocess
from pathlib import Path

# util-linux's unshare waits for its child, and ends as it ended; killed, it takes it with it.
_OWN_PIDS = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
if os.geteuid() != 0:
    _OWN_PIDS += ["--user", "--map-root-user"]

# The command is process 1, as a container's is by default.
ALONE = _OWN_PIDS
# Another is, as a pod's pause container is with shareProcessNamespace, and ends as the command did.
SHARED = [*_OWN_PIDS, "sh", "-c", '"$@"; code=$?; exit $code', "pause"]


def may_unshare() -> bool:
    return subprocess.run([*_OWN_PIDS, "true"], capture_output=True, check=False).returncode == 0


def first_of(process: subprocess.Popen[str], wrapper: list[str]) -> int:
    """The id, on this machine, of the command that the wrapper runs."""
    pid = process.pid
    for _ in range(1 if wrapper == ALONE else 2):
        (pid,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return pid
