"""What a container runs: its words, those of a shell's script included, and avalanchego's own."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from controller.base.text import shown
from controller.domain.manifest.environment import Environment
from controller.domain.objects import Container, EnvVar

_SHELLS = {"sh", "bash", "dash", "ash"}
_SCRIPT_FOLLOWS = re.compile(r"-[A-Za-z]*c[A-Za-z]*")  # -c, also among others: -ec, -lc
_REST = re.compile(r"\$[@*]|\$\{[@*]\}")  # in a script: the words behind it
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_LONGEST_SCRIPT = 16 * 1024  # characters; splitting takes the square of a word's length
_READS_MORE = {".", "source", "eval"}  # what a shell then does stands elsewhere
_PLAINLY = (
    "write command: [/avalanchego/build/avalanchego], and the node's settings as variables of its"
    " container"
)


@dataclass(frozen=True)
class CommandLine:
    """The words that a container runs."""

    words: tuple[str, ...]  # none: the image's own command
    scripted: bool  # a shell's script, so that the shell puts in what begins with `$`

    @classmethod
    def of(cls, container: Container, environment: Environment) -> "CommandLine":
        said = (*(container.command or ()), *(container.args or ()))
        words = [environment.expanded(word) for word in said]
        at = _script(words)
        if at is None:
            return cls(tuple(words), scripted=False)
        script = _split(words[at])
        if any(map(_REST.search, script)):
            script += words[at + 2 :]  # the first word behind a script is its name
        return cls(tuple(script), scripted=True)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What avalanchego may be told: the words behind its name up to a `--`. All of them where
        it is not named, or by a script, which may name it more than once.
        """
        at = self._program()
        if self.scripted or at is None:
            return self.words
        behind = self.words[at + 1 :]
        return behind[: behind.index("--")] if "--" in behind else behind

    def assigned(self) -> Iterable[EnvVar]:
        """Variables that the command itself sets, as a script or `env` does."""
        for word in self.words:
            if assignment := _ASSIGNMENT.fullmatch(word):
                yield EnvVar(name=assignment[1], value=assignment[2])

    def why_unreadable(self) -> str:
        """A sentence where the manifest does not tell what avalanchego is told; empty where it
        does.
        """
        if not self.words or self.words[0].startswith("-"):  # of an image with an entrypoint
            return ""
        if self._program() is None:
            return (
                f"'{shown(self.words[0], 60)}' may tell avalanchego what nobody can read here:"
                f" {_PLAINLY}"
            )
        odd = next((word for word in self.words if word in _READS_MORE), None) or self._removal()
        return f"'{odd}' makes another environment than stands here: {_PLAINLY}" if odd else ""

    def _program(self) -> int | None:
        return next((i for i, word in enumerate(self.words) if _is_node(word)), None)

    def _removal(self) -> str | None:
        """What takes variables away."""
        for word, following in pairwise((*self.words, "")):
            if word == "unset":
                return "unset"
            if _base(word) == "env" and following.startswith("-") and following != "--":
                return f"env {shown(following, 20)}"
        return None


def _base(word: str) -> str:
    return word.rpartition("/")[2]


def _is_node(word: str) -> bool:
    base = _base(word)
    return base.startswith("avalanchego") and not base.endswith(".sh")


def _script(words: list[str]) -> int | None:
    """Where the script of a shell stands that is among the first words, if it is given one."""
    shell = next((i for i, w in enumerate(words) if _base(w) in _SHELLS), None)
    if shell is None or any(word.startswith("--") and word != "--" for word in words[:shell]):
        return None
    for index in range(shell + 1, len(words) - 1):
        if _SCRIPT_FOLLOWS.fullmatch(words[index]):
            return index + 1
    return None


def _split(script: str) -> list[str]:
    """The words of a shell's script, of all its commands, without what stands between them. Of one
    that is too long to be read a single word that says so.
    """
    if len(script) > _LONGEST_SCRIPT:
        return [f"a script of {len(script)} characters"]
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # an open quote: no shell would run it either
        return script.split()
