"""README's table of speed, which is that of docs/bench.json: `python -m tests.bench.readme` writes
it there anew, after `tox -e bench -- --json docs/bench.json` on a quiet machine.
"""

import re
from pathlib import Path

from tests.bench.figure import decode
from tests.bench.table import text_of

_ROOT = Path(__file__).parents[2]
README, FIGURES = _ROOT / "README.md", _ROOT / "docs/bench.json"
_PLACE = re.compile(
    r"(?<=<!-- docs/bench.json -->\n).*?(?=<!-- end of docs/bench.json -->)", re.DOTALL
)


def with_table(readme: str, figures: bytes) -> str:
    """README's text with the table of these figures in its place."""
    table = text_of(decode(figures))
    found, count = _PLACE.subn(lambda _: f"\n{table}\n\n", readme)
    if count != 1:
        raise ValueError("README.md has no place, or several, for the table of docs/bench.json")
    return found


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(), FIGURES.read_bytes()))
