"""Finds secrets in a line of text by the names that stand before them: `password=`, `"token":`,
`--api-key`, `Authorization:`.

Time is linear in the line, whatever it is: a run of characters is begun at one place only (a look
behind), never given back (`*+`), or bounded; and a value is not looked at again.
"""

import re

REDACTED = "[redacted]"

# Without case, dots, dashes and underscores.
_SECRET_NAME = re.compile(
    r"passwo?r?d|passphrase|mnemonic|secret|credential|(?:api|access|private|signing|signer)key"
    r"|keyfilecontent|authorization$|token(?:value|content)?$"
)
# What only says where a secret is, or how much of something there is: `secretName`, `tokenBucket`.
_REFERENCE = re.compile(r"(?:name|path|file|dir|bucket|count|limit|size|length|type|ttl|expiry)$")
# Values of several words, where they are not quoted.
_WHOLE_LINE = ("authorization", "passphrase", "mnemonic")

_KEY = re.compile(
    r"(?<![A-Za-z0-9_.-])(?P<dash>--?)?"
    r"(?P<name>(?:(?i:api|access|private|secret|signing)[ ](?=(?i:key)))?[A-Za-z0-9_.-]++)"
    r"(?:(?P<quote>\\{0,8}[\"'])?(?P<sign>[ \t]{0,8}(?::=|=>|==|[:=])[ \t]{0,64})"
    r"|(?(dash)(?:[\"']?,[ \t]{0,8}|[ \t]{1,8})(?=[^\s-])|(?!)))"
)
_QUOTE = re.compile(r"(?<!\\)(?P<slashes>\\*+)(?P<mark>[\"'`])")
_BRACKET = re.compile(r"[\[\]{}]")
_WORD = re.compile(r"(?:(?i:bearer|basic|digest|token)[ \t]{1,8})?[^\s\"'`<>]*+")
_QUERY_WORD = re.compile(r"[^\s\"'`<>&#]*+")
_REST = re.compile(r"[^\"'`]*+")

_NO_VALUE = frozenset({"", "null", "true", "false", "none", "nil", "undefined"})
# How programs go on after a colon: `failed to fetch anonymous token: unexpected status ...`
_IN_SENTENCES = ("authorization", "credential", "credentials", "secret", "token")
_SENTENCE = re.compile(
    r"cannot|connection|context|could|denied|dial|eof|error|expected|expired|failed|forbidden|get"
    r"|head|invalid|is|malformed|missing|no|not|post|read|rpc|timeout|unable|unauthorized"
    r"|unexpected|unknown|unsupported|was|wrong",
    re.IGNORECASE,
)


def without_named(line: str) -> str:
    """The line with REDACTED for the values of such names; JSON in it stays JSON."""
    parts: list[str] = []
    done = at = 0
    while key := _KEY.search(line, at):
        at = key.end()
        if not is_secret_name(key["name"]):
            continue
        start, end, instead = _value(line, key)
        if _is_word(line[start:end], key):
            continue
        parts += (line[done:start], instead)
        done = at = end
    return "".join([*parts, line[done:]])


def is_secret_name(name: str) -> bool:
    plain = _plain(name)
    return bool(_SECRET_NAME.search(plain)) and not _REFERENCE.search(plain)


def is_no_value(text: str) -> bool:
    """Whether it says that there is no secret."""
    return text.strip().lower() in _NO_VALUE


def _plain(name: str) -> str:
    return re.sub(r"[ _.-]", "", name.lower())


def _is_word(value: str, key: re.Match[str]) -> bool:
    """Whether what follows the name is no secret but a word of the language around it."""
    if is_no_value(value):
        return True
    talks = (key["sign"] or "").endswith(": ") and _plain(key["name"]).endswith(_IN_SENTENCES)
    return talks and _SENTENCE.fullmatch(value.partition(" ")[0]) is not None


def _value(line: str, key: re.Match[str]) -> tuple[int, int, str]:
    """Where the value of a name begins and ends, and what to write there."""
    at = key.end()
    if opening := _QUOTE.match(line, at):
        return opening.end(), _closing(line, opening), REDACTED
    around = key["quote"] or ""
    instead = f"{around}{REDACTED}{around}"
    if line[at : at + 1] in ("[", "{"):
        return at, _bracketed(line, at), instead
    before = line[max(0, key.start() - 1) : key.start()]
    if _plain(key["name"]).endswith(_WHOLE_LINE):
        pattern = _REST
    else:
        pattern = _QUERY_WORD if before in ("?", "&") else _WORD
    found = pattern.match(line, at)
    word = found[0].rstrip(" \t\r,;)]}\\") if found else ""
    return at, at + len(word), instead


def _closing(line: str, opening: re.Match[str]) -> int:
    """Where the quoted text ends: at the same quote, escaped as often; else with the line."""
    slashes = len(opening["slashes"])
    for found in _QUOTE.finditer(line, opening.end()):
        before = len(found["slashes"])
        if found["mark"] != opening["mark"]:
            continue
        if before <= slashes:
            return found.start()
        if slashes == 0 and before % 2 == 0:  # the slashes are the value's own
            return found.end() - 1
    return len(line)


def _bracketed(line: str, at: int) -> int:
    """Where the list or object ends that begins there; else with the line."""
    depth = 0
    for bracket in _BRACKET.finditer(line, at):
        depth += 1 if bracket[0] in "[{" else -1
        if depth == 0:
            return bracket.end()
    return len(line)
