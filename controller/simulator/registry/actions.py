"""What only a registry can do wrong: actions for `Faults.add`, played on manifests.

They are spent by the request that a rule takes, also by one without a token that only gets its 401:
for a client that has none yet, say `count=None` and remove the rule afterwards.

HTML, empty answers, 401, 5xx and silence are the generic actions of `controller.simulator.faults`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class WrongDigest:
    """The body is not what its digest says (a byte is added)."""


@dataclass(frozen=True)
class WithoutDigest:
    """No Docker-Content-Digest, as old registries answer [71]."""


@dataclass(frozen=True)
class HugeBody:
    """A body that is sent in pieces; nobody should read it to its end."""

    size: int = 50 * 1024 * 1024  # bytes
