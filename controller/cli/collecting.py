"""Python's collector of cycles, where it only costs: in a command that ends at once."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """What is read and imported within it is not looked through for cycles."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def not_at_the_end() -> None:
    """Nothing is looked through when the process ends, whose memory goes anyway: 90 ms of the 480
    that `status` took.
    """
    atexit.register(gc.freeze)
