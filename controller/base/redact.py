"""Takes secrets out of text that is kept or handed on: logs of programs that we did not write.

It knows names (`named_secrets`), forms (`Bearer ...`, `://user:password@`), marks (PEM blocks, JSON
web tokens, avalanche's keys) and the secrets that it is given. It does not guess by looks: a
block's hash looks as random as a password, and evidence without hashes is none. So it lowers a risk
and does not end it; where it must err, it takes out too much. Time is linear in the text, whatever
the text is.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

from controller.base.named_secrets import (
    REDACTED,
    block_column,
    is_named,
    is_no_value,
    is_secret_name,
    without_named,
)
from controller.base.pem_blocks import hide_blocks

SHORTEST_SECRET = 4  # characters; a shorter one stands in every second word, and guards nothing

# A line with none of these holds nothing for us, and most lines of a log are such.
_HINTS = (
    "pass", "pwd", "secret", "token", "key", "auth", "credential", "mnemonic", "cookie",
    "signature", "sig=", "bearer", "basic", "://", "eyj", "ls0tls1crudj",
)  # fmt: skip

_FORMS = (
    (
        re.compile(  # a JSON web token: a header, which is JSON, and two to four other parts
            r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]*+){1,3}"
        ),
        REDACTED,
    ),
    # a PEM block in base64, as avalanchego takes its keys in variables
    (re.compile(r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJ[A-Za-z0-9+/]*+={0,2}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])PrivateKey-[A-Za-z0-9]{8,}+"), f"PrivateKey-{REDACTED}"),
)

# Not `enode://`, whose user is a node's public id, nor an image without a slash before its digest.
_USER = re.compile(
    r"(?<!enode)://(?P<user>[^\s/@:?#\"'`]*+)(?::(?P<password>[^\s/\"'`]*))?"
    r"@(?!sha(?:256|512):[0-9a-f]{32})"
)
# Some take a token for the user and want no password.
_TOKEN = re.compile(r"gh[oprsu]_|github_pat_|glpat-|.{16}", re.DOTALL)

_SCHEME = re.compile(
    r"\b((?P<scheme>bearer|basic)[ \t]{1,8})(?P<value>[A-Za-z0-9._~+/=-]++)", re.IGNORECASE
)
_AFTER_BEARER = re.compile(
    r"(?:tokens?|auth[a-z]*|credentials?|headers?|schemes?|realm.*|and|or|of|is|was|not|for|in)\W*",
    re.IGNORECASE,
)
_BASIC_VALUE = re.compile(r"(?=.*[0-9=+/]|.+[A-Z])[A-Za-z0-9+/]{4,}+={0,2}")

_DEEPEST = 40  # levels of JSON


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """The text with `[redacted]` for what looks like a secret, and for `secrets` as they stand, in
    base64, in URLs and in JSON. It has as many lines, and at most six times the characters.
    """
    for spelling in _spellings(tuple(secrets)):
        text = text.replace(spelling, REDACTED)
    lines = text.split("\n")
    if "-----" in text:
        hide_blocks(lines, REDACTED)
    paired, block = False, None
    for number, line in enumerate(lines):
        if block is not None and _is_within(line, block):
            lines[number] = _indent(line) + REDACTED if line.strip() else line
            continue
        block = block_column(line)
        lines[number], paired = _line(line, paired)
    return "\n".join(lines)


def redact_json(value: object, secrets: Sequence[str] = (), depth: int = 0) -> object:
    """The same for a value of JSON, by the names of its fields too: it stays one, which redacted
    text of JSON need not. What JSON has no word for becomes text.
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)  # beyond it readers of JSON round
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {
            redact(_sound(name), secrets): REDACTED
            if _is_secret(str(name), value) and not is_no_value(str(item))
            else redact_json(item, secrets, depth + 1)
            for name, item in value.items()
        }
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [redact_json(item, secrets, depth + 1) for item in value]
    return redact(_sound(value), secrets)


def _is_secret(name: str, fields: Mapping[object, object]) -> bool:
    return is_secret_name(name) or is_named(name, fields)


def _sound(value: object) -> str:
    return str(value).encode(errors="replace").decode()  # a lone surrogate is no UTF-8


@lru_cache(maxsize=8)
def _spellings(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Longest first: one may be a part of another. A text that was folded is found by its lines."""
    found: set[str] = set()
    for secret in (part.strip() for whole in secrets for part in (whole, *whole.splitlines())):
        if len(secret) >= SHORTEST_SECRET:
            encoded = base64.b64encode(secret.encode(errors="replace")).decode().rstrip("=")
            found |= {encoded, secret, quote(secret, safe="", errors="replace")}
            found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return tuple(sorted((s for s in found if "\n" not in s), key=lambda s: (-len(s), s)))


def _is_within(line: str, column: int) -> bool:
    """Whether a line is of the block of YAML whose name stands in that column."""
    return not line.strip() or len(_indent(line)) > column


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _line(line: str, paired: bool) -> tuple[str, bool]:
    """The line, and whether the next holds the value of a name in this one. paired: as of the one
    before.
    """
    lower = line.lower()
    if not paired and not any(hint in lower for hint in _HINTS):
        return line, False
    line, pairs = without_named(line, paired)
    line = _USER.sub(_user, line)
    for form, instead in _FORMS:
        line = form.sub(instead, line)
    return _SCHEME.sub(_scheme, line), pairs


def _user(found: re.Match[str]) -> str:
    user = REDACTED if _TOKEN.match(found["user"]) else found["user"]
    password = found["password"]
    if password is None:
        return f"://{user}@"
    return f"://{user}:{password if is_no_value(password) else REDACTED}@"


def _scheme(found: re.Match[str]) -> str:
    """`Bearer` and `Basic` are also words: of tokens, of information."""
    value = found["value"]
    if found["scheme"].lower() == "bearer":
        secret = not _AFTER_BEARER.fullmatch(value)
    else:
        secret = len(value) % 4 == 0 and _BASIC_VALUE.fullmatch(value) is not None
    return found[1] + REDACTED if secret else found[0]
