"""Reads options from flags and environment; and the parsers that more than one option can use.

Knows no option by name. Every fault is collected, so that a person mends all of them at once.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from controller.base.durations import parse_duration
from controller.base.text import shown
from controller.settings.option import Defaulted, Option, Parse

_USER = re.compile(r":[^@\s]*@")  # before the host of a URL, however it is misspelt

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


class OptionReader:
    """Reads options; flags win over the environment.

    flags: by `Option.key`; None and empty sequences mean not given, False and "" mean given. An
    empty variable counts as not given: manifests often carry them. Raises TypeError for a flag that
    is no option: a mistake of ours, not of a person.
    """

    def __init__(
        self,
        options: tuple[Option[Any], ...],
        flags: Mapping[str, object],
        environ: Mapping[str, str],
    ) -> None:
        if unknown := flags.keys() - {option.key for option in options}:
            raise TypeError(f"no such settings: {', '.join(sorted(unknown))}")
        self._flags = flags
        self._environ = environ
        self.faults: list[str] = []

    def given(self, option: Option[Any]) -> str | None:
        """The text that was given, lists joined by commas; None if there was none."""
        match self._flags.get(option.key):
            case None | [] | ():
                return self._environ.get(option.variable) or None
            case bool(value):
                return "true" if value else "false"
            case list(items) | tuple(items):
                return ",".join(str(item) for item in items)
            case value:
                return str(value)

    def was_typed(self, option: Option[Any]) -> bool:
        """Whether a flag gave it, not the environment."""
        return self._flags.get(option.key) not in (None, [], ())

    def value(self, option: Defaulted[T]) -> T:
        """The value; the default's if none was given or if what was given is a fault."""
        found = self.maybe(option)
        return option.parse(option.default) if found is None else found

    def maybe(self, option: Option[T]) -> T | None:
        """The value; None if none was given or if what was given is a fault."""
        text = self.given(option)
        if text is None:
            return None
        try:
            return option.parse(text)
        except ValueError as error:
            self.fault(option, str(error), text)
            return None

    def fault(self, option: Option[Any], remedy: str, text: str | None = None) -> None:
        """Notes a fault. remedy: what is wrong and what to write instead. A text that may hold a
        user's password is not repeated.
        """
        hidden = text is None or option.secret or _USER.search(text)
        value = "" if hidden else f" is '{shown(text or '')}'"
        self.faults.append(f"{option.title}{value}: {remedy}")


# Parsers. Each raises ValueError with the remedy: what to write instead.


def parse_text(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty: write a value, or leave it out")
    return text.strip()


def parse_list(text: str) -> tuple[str, ...]:
    """What stands between commas, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def parse_switch(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("write true or false")
    return word in _TRUE


def choice(*words: str) -> Parse[str]:
    """One of these words, however capitalised."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"write {', '.join(words[:-1])} or {words[-1]}")
        return word

    return parse


def duration(shortest: str, longest: str) -> Parse[float]:
    """Seconds between two durations, both included."""

    def parse(text: str) -> float:
        try:
            seconds = parse_duration(text)
        except ValueError:
            raise ValueError("write a duration such as 30s, 5m, 12h or 7d") from None
        if not parse_duration(shortest) <= seconds <= parse_duration(longest):
            raise ValueError(f"write a duration from {shortest} to {longest}")
        return seconds

    return parse


def parse_positive(text: str) -> int:
    number = text.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 6 and int(number) > 0):
        raise ValueError("write a whole number from 1 to 999999")
    return int(number)


def parse_existing_file(what: str) -> Parse[Path]:
    """The path of a file that is there. what: `a docker config.json`."""

    def parse(text: str) -> Path:
        path = Path(parse_text(text))
        if not path.is_file():
            raise ValueError(f"there is no such file: name {what}")
        return path

    return parse


def split_url(text: str) -> SplitResult:
    """A URL taken apart, its port checked."""
    try:
        url = urlsplit(text.strip())
        _ = url.port  # looks at the port only now
    except ValueError:
        raise ValueError("it is no URL: look at the brackets and the port") from None
    return url


def parse_host_port(text: str) -> tuple[str, int]:
    """`host:port`, an IPv6 address in brackets; the host without them. Port 0 is any free one."""
    remedy = "write host:port, such as 127.0.0.1:8080, or [::]:8080 for every address"
    stripped = text.strip()
    host, _, port = stripped.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not host or (":" in host and not bracketed) or any(mark in stripped for mark in "/@ "):
        raise ValueError(remedy)
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(remedy)
    return (host[1:-1] if bracketed else host), int(port)
