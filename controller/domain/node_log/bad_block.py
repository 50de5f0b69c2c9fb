"""A block that does not verify, out of the line that says so: which chain, height, block, why."""

import re

from controller.base.text import shown
from controller.domain.node_log.lines import Line
from controller.domain.record.parts import Cause

# The sentence of the bootstrapper, as versions since 2020 have worded it.
_BLOCK = re.compile(
    r"failed to (?:verify|accept|execute) block(?: (?P<block>[1-9A-HJ-NP-Za-km-z]{6,64}))?"
    r"(?: \((?:height=)?(?P<height>\d{1,20})[^)]{0,200}\))?(?: in bootstrapping)?: (?P<error>.+)",
    re.DOTALL,
)
# What follows the error itself: what was going on, and a verb that Go left as it is.
_TAIL = re.compile(
    r"(?: dberr: %!w\(<nil>\)| with last accepted \w| while processing | dberr: <nil>).*", re.DOTALL
)
_ROOTS = re.compile(
    r"(?P<what>invalid [a-z ]{1,40}?)(?: hash)? \(remote: (?:0x)?(?P<remote>[0-9a-f]{8,64})"
    r" local: (?:0x)?(?P<local>[0-9a-f]{8,64})\)"
)
_ERROR = 160  # characters


def bad_block_of(line: Line) -> Cause:
    """Of a line that speaks of such a block; what it does not name stays empty."""
    told = line.fields.get("error") or line.fields.get("err") or line.message
    found = _BLOCK.search(told[:4000])
    if found is None:
        block = line.fields.get("blkID", "") or line.fields.get("blockID", "")
        return Cause(chain=line.chain, block=shown(block, 64), error=_error(told))
    return Cause(
        chain=line.chain,
        height=int(found["height"]) if found["height"] else None,
        block=found["block"] or "",
        error=_error(found["error"]),
    )


def _error(told: str) -> str:
    text = _ROOTS.sub(_compared, _TAIL.sub("", told[:4000]))
    return shown(text, _ERROR)


def _compared(found: re.Match[str]) -> str:
    return f"{found['what']}, local {found['local'][:4]}…, expected {found['remote'][:4]}…"
