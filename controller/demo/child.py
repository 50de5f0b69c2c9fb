"""`python -m controller`, as a child that ends with its parent, however that one ends.

Its standard input is a pipe of which its parent alone has the other end, and to which nothing is
written: once a read returns, the parent is gone, also where it was killed outright. The simulated
world has gone with it, so nothing is finished and nothing given back.
"""

import os
import runpy
import sys
from threading import Thread

ORPHANED = 1  # exit code, for nobody


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    runpy.run_module("controller", run_name="__main__", alter_sys=True)
