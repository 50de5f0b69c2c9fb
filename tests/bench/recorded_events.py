"""Watch events that a real API server sent (tests/recordings), and as many more of their kind."""

import gzip
from collections.abc import Iterator
from pathlib import Path

_FILE = Path(__file__).parents[1] / "recordings/deployment-watch-events.jsonl.gz"


def recorded_events() -> list[bytes]:
    """519 events of 500 Deployments, a line each with its newline, of about 5.5 KB."""
    return gzip.decompress(_FILE.read_bytes()).splitlines(keepends=True)


def rounds(count: int) -> Iterator[list[bytes]]:
    """So many rounds of all events, each round of other resourceVersions: a cache rightly does
    nothing with what it has.
    """
    lines = [_parts(line) for line in recorded_events()]
    for number in range(count):
        first = 1_000_000 + number * len(lines)
        yield [
            b"".join((head, b"%d" % (first + place), tail))
            for place, (head, tail) in enumerate(lines)
        ]


def _parts(line: bytes) -> tuple[bytes, bytes]:
    """Before and after the object's resourceVersion, which is the first of its line."""
    head, _, rest = line.partition(b'"resourceVersion":"')
    return head + b'"resourceVersion":"', rest[rest.index(b'"') :]
