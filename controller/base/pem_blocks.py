"""Finds PEM blocks in text, over lines or within one (as JSON writes them), whole or cut off."""

import re

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{1,64}-----")
_END = re.compile(r"-----END [A-Z0-9 ]{1,64}-----")
_BODY = re.compile(r"\s*+[A-Za-z0-9+/=]*+\s*+|(?:Proc-Type|DEK-Info): .*")
_LONG_BODY = re.compile(r"\s*+[A-Za-z0-9+/]{16,}+={0,2}\s*+")


def hide_blocks(lines: list[str], instead: str) -> None:
    """Writes `instead` over every block, on each line of it that is not blank. Where the end of a
    block is missing it goes on for as long as the lines look like one; where its begin is missing
    (the log's end was read), the lines before its end are looked at.
    """
    inside = False
    for number, line in enumerate(lines):
        end = _END.search(line)
        if inside and end is None and _BODY.fullmatch(line):
            lines[number] = instead if line.strip() else line
            continue
        headless = end is not None and _BEGIN.search(line, 0, end.start()) is None
        if headless and not inside:
            _hide_before(lines, number, instead)
        inside, rest = _without(line, end.end() if end and headless else 0, instead)
        lines[number] = instead + rest if headless else rest


def _hide_before(lines: list[str], number: int, instead: str) -> None:
    body = _BODY
    while number and lines[number - 1].strip() and body.fullmatch(lines[number - 1]):
        number -= 1
        lines[number] = instead
        body = _LONG_BODY  # the last line of a body may be short, and no other


def _without(line: str, at: int, instead: str) -> tuple[bool, str]:
    """(whether a block goes on in the next line, the line from there on without blocks)."""
    parts: list[str] = []
    while begin := _BEGIN.search(line, at):
        parts += (line[at : begin.start()], instead)
        end = _END.search(line, begin.end())
        if end is None:
            return True, "".join(parts)
        at = end.end()
    return False, "".join([*parts, line[at:]])
