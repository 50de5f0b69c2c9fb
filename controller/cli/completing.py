"""A shell asks for a completion: what it hands over, and how quiet it is then."""

import os
import sys
from collections.abc import Mapping, Sequence
from threading import Timer

LONGEST = 5.0  # seconds, whatever hangs
_SPLITS = (":", "=")  # at which bash splits words


def is_completing(environ: Mapping[str, str]) -> bool:
    return environ.get("_BOOTSTRAP_CONTROLLER_COMPLETE", "").startswith("complete_")


def hush() -> None:
    """Nothing is said on the terminal on which somebody is typing, neither by this process nor by
    one that it starts; and it ends in time.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 2):
        os.dup2(nothing, descriptor)
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 for the process's life
    over = Timer(LONGEST, os._exit, (0,))
    over.daemon = True
    over.start()


def mend_line() -> list[str]:
    """The words of the line so far, without the splits that bash makes in a URL before the cursor,
    which typer is not to see either.
    """
    line = os.environ  # noqa: TID251 typer reads it there
    if "COMP_WORDS" not in line:
        return line.get("_TYPER_COMPLETE_ARGS", "").split()
    words, at = line["COMP_WORDS"].split(), line.get("COMP_CWORD", "")
    cursor = int(at) if at.isdecimal() else len(words)
    before = joined(words[:cursor])
    whole = [*before, *words[cursor:]]
    line["COMP_WORDS"], line["COMP_CWORD"] = "\n".join(whole), str(len(before))
    return whole


def joined(words: Sequence[str]) -> list[str]:
    """`--store`, `redis`, `:`, `//r` are `--store`, `redis://r`. A split at the end stays: what
    follows it is being typed.
    """
    found: list[str] = []
    glue = False
    for number, word in enumerate(words):
        last = number == len(words) - 1
        split = word in _SPLITS and not last
        if found and (glue or split):
            found[-1] += word
        else:
            found.append(word)
        glue = split
    return found
