"""Outages: which registries are in trouble, told once when it begins and once when it ends."""

from collections.abc import Callable
from typing import Any

from controller.base.said_once import SaidOnce
from controller.engine.polling.tag_state import LASTING_FAILURES


class Outages:
    """A host is in trouble when one question failed LASTING_FAILURES times in a row and nothing at
    all was answered meanwhile. "No such tag" and "no access" are answers: they are the trouble of
    whoever asks, not of the host.

    tell: called with host and sentence when trouble begins; with None when it is over, or nobody
    follows anything there any more.
    """

    def __init__(self, tell: Callable[[str, str | None], None]) -> None:
        self._tell = tell
        self._failures: dict[str, dict[Any, int]] = {}  # host, then question, to failures in a row
        self._told = SaidOnce[str]()

    def answered(self, host: str) -> None:
        self._failures.pop(host, None)
        if self._told.end(host):
            self._tell(host, None)

    def failed(self, host: str, question: object, sentence: str) -> None:
        """question: the same value when the same is asked again."""
        failures = self._failures.setdefault(host, {})
        failures[question] = failures.get(question, 0) + 1
        if failures[question] >= LASTING_FAILURES and self._told.begin(host, "away"):
            self._tell(host, sentence)

    def keep(self, hosts: set[str]) -> None:
        """Forgets all hosts but these."""
        for host in (self._failures.keys() | self._told.keys()) - hosts:
            self.answered(host)
