"""What a registry demands of whom it does not know: the WWW-Authenticate header, and no I/O.

    challenges = challenge *( "," challenge )
    challenge  = scheme ( token68 | parameter *( "," parameter ) )
    parameter  = token "=" ( token | quoted-string )

Quoted values contain commas (`scope="repository:a/b:pull,push"`), so nothing is split on them [68].
What cannot be read is left out: a registry that sends it is treated as one that demands nothing
that we could answer.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_GAP = re.compile(r"[\s,]*")
_PARAMETER = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))(?=\s*(?:,|$))')
_SCHEME = re.compile(rf"({_TOKEN})(?:\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))|(?=\s|,|$))")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Challenge:
    """One demand."""

    scheme: str  # in lower case
    # name in lower case to value; the first of two that have one name
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bearer:
    """Fetch a token. Also the key under which it is kept."""

    realm: str  # URL of the token server, not looked at yet
    service: str  # whom the token is for; empty where the registry does not say
    scope: str  # what it is to allow; several are parted by spaces


@dataclass(frozen=True)
class Basic:
    """Send user and password with the request itself."""


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """All demands of all WWW-Authenticate headers, in order."""
    return [challenge for header in headers for challenge in _parse(header)]


def _parse(header: str) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    position = _end(_GAP.match(header, 0))
    while position < len(header):
        if found and (match := _PARAMETER.match(header, position)):
            name, quoted, plain = match.groups()
            value = plain if quoted is None else _ESCAPE.sub(r"\1", quoted)
            found[-1][1].setdefault(name.lower(), value)
        elif match := _SCHEME.match(header, position):
            found.append((match[1].lower(), {}))
        else:
            break
        position = _end(_GAP.match(header, match.end()))
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def choose(challenges: Iterable[Challenge], default_scope: str) -> Bearer | Basic | None:
    """The demand to answer: the first Bearer with a realm, else Basic, else None.

    default_scope: for a registry that leaves the scope out.
    """
    basic: Basic | None = None
    for challenge in challenges:
        if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
            return Bearer(
                realm=challenge.parameters["realm"],
                service=challenge.parameters.get("service", ""),
                scope=challenge.parameters.get("scope") or default_scope,
            )
        if challenge.scheme == "basic":
            basic = Basic()
    return basic
