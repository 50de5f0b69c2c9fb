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
class NoHead:
    """A HEAD is answered with this status, and a GET as always [154]."""

    status: int = 405


@dataclass(frozen=True)
class Packed:
    """The body is sent in gzip, though nobody asked for it, as by a CDN [149]."""


@dataclass(frozen=True)
class SignedSchema1:
    """A manifest of schema 1 with signatures, whose digest is not of all its bytes [152]."""


@dataclass(frozen=True)
class LongHeaders:
    """A header of this many bytes beside the others [149]."""

    size: int = 16 * 1024


@dataclass(frozen=True)
class HugeBody:
    """A body that is sent in pieces; nobody should read it to its end."""

    size: int = 50 * 1024 * 1024  # bytes
