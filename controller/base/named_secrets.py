"""Finds secrets in a line of text by the names that stand before them: `password=`, `"token":`,
`--api-key`, `Authorization:`, and `"name":"DB_PASSWORD","value":`.

Time is linear in the line, whatever it is: a run of characters is begun at one place only (a look
behind), never given back (`*+`), or bounded. Whether a value is one is decided on its first word;
what is looked at further is then taken out, or is so empty that no name can stand in it.
"""

import re
from collections.abc import Mapping

REDACTED = "[redacted]"

# Without case, dots, dashes and underscores.
_SECRET_NAME = re.compile(
    r"passwo?r?d|passphrase|mnemonic|secret|credential|keyfilecontent|authorization$"
    r"|(?:api|app|application|access|account|private|signing|signer|encryption|master|storage)key"
    r"|token(?:value|content)?$|^auth$|cookies?$|(?:amz|goog)signature$"
)
_SHORT_NAME = re.compile(r"(?:^|[ _.-])(?:pwd|pass)$", re.IGNORECASE)  # and never `bypass`
# Parameters of a URL that give whoever has it the rights of its writer; elsewhere they are words.
_IN_QUERIES = frozenset({"sig", "signature"})
# What only says where a secret is, or how much of something there is: `secretName`, `tokenBucket`.
_REFERENCE = re.compile(
    r"(?:name|ref|path|file|dir|bucket|count|limit|size|length|type|ttl|expiry)$"
)
# Values of several words, where they are not quoted.
_WHOLE_LINE = ("authorization", "passphrase", "mnemonic", "cookie", "cookies")

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
# To the next quote, but over quoted values as headers have them: `Digest username="a", nonce="b"`.
_REST = re.compile(
    r"(?:[^\"'`]++|(?<==)\"[^\"]*+\"(?=[;,\s]|$)|(?<==\\)\"[^\"]*+(?<=\\)\"(?=[;,\s\"]|$))*+"
)
_TRAILING = " \t\r,;)]}\\"
# A block of YAML: its value is on the lines that follow, or, in a text that was written as one
# line, behind their escaped ends.
_BLOCK_AT_END = re.compile(r"(?<=[ \t])[|>][0-9+-]{0,2}[ \t]{0,8}(?:#.{0,200})?\r?$")
_LONGEST_NAME = 400  # characters of a name, its quotes and its sign
_ESCAPED_BLOCK = re.compile(r"[|>][0-9+-]{0,2}[ \t]{0,8}\\{1,8}[nr]")

_NO_VALUE = frozenset({"", "null", "true", "false", "none", "nil", "undefined"})
# How programs go on after a colon: `failed to fetch anonymous token: unexpected status ...`
_IN_SENTENCES = ("auth", "authorization", "credential", "credentials", "secret", "token")
_SENTENCE = re.compile(
    r"(?:cannot|connection|context|could|denied|dial|eof|error|expected|expired|failed|forbidden"
    r"|get|head|invalid|is|malformed|missing|no|not|post|read|rpc|timeout|unable|unauthorized"
    r"|unexpected|unknown|unsupported|was|wrong)(?!\w)",
    re.IGNORECASE,
)
_WORD_ENDS = re.compile(r"[,;)\]}\\]*+(?:[\s\"'`<>]|$)")

# Two fields of which one says what the other is.
_NAMING = ("name", "key")
_NAMED = "value"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}+")
_BETWEEN = r"(?:\\{0,8}[\"'])?[,;]?\s{0,64}(?:\\{0,8}[\"'])?"
_NAMING_VALUE = re.compile(rf"(?:\\{{0,8}}[\"'])?(?P<name>{_PLAIN_NAME.pattern}){_BETWEEN}")
_BETWEEN_FIELDS = re.compile(_BETWEEN)


def without_named(line: str, paired: bool = False) -> tuple[str, bool]:
    """The line with REDACTED for the values of such names (JSON in it stays JSON), and whether it
    ends in a name whose `value:` the next line has. paired: whether the line before did.
    """
    parts: list[str] = []
    done = at = 0
    expected = len(line) - len(line.lstrip(" \t\\\"'")) if paired else -1  # where `value` counts
    earlier: re.Match[str] | None = None  # a `value` that may get its name only after it
    while key := _KEY.search(line, at):
        at = key.end()
        word = key["name"].lower()
        if word in _NAMING and (naming := _NAMING_VALUE.match(line, at)):
            if is_secret_name(naming["name"]):
                expected = naming.end()
                cut = earlier and _before(line, earlier, key.start())
                if cut and cut[0] >= done:
                    parts += (line[done : cut[0]], cut[2])
                    done = cut[1]
            earlier = None
            continue
        named = word == _NAMED
        if not _is_secret(line, key) and not (named and key.start() == expected):
            earlier = key if named else earlier
            continue
        if _is_sentence(line, key):
            continue
        start, end, instead = _value(line, key, len(line))
        if is_no_value(line[start:end]):
            continue
        parts += (line[done:start], instead)
        done = at = end
    return "".join([*parts, line[done:]]), bool(line) and expected == len(line)


def block_column(line: str) -> int | None:
    """Where the name of a secret stands whose value is a block of YAML on the lines that follow:
    those are its value that begin further to the right. None where the line begins no such block.
    """
    if not (end := _BLOCK_AT_END.search(line)):
        return None
    keys = list(_KEY.finditer(line, max(0, end.start() - _LONGEST_NAME), end.start()))
    if not keys or keys[-1].end() != end.start() or not is_secret_name(keys[-1]["name"]):
        return None
    key = keys[-1]
    before = line[: key.start()].rstrip("\"'")
    plain = not before.strip(" \t-")
    return len(before) if plain else len(line) - len(line.lstrip(" \t"))


def _is_secret(line: str, key: re.Match[str]) -> bool:
    if line[max(0, key.start() - 1) : key.start()] in ("?", "&") and key["sign"] == "=":
        return key["name"].lower() in _IN_QUERIES or is_secret_name(key["name"])
    return is_secret_name(key["name"])


def is_secret_name(name: str) -> bool:
    plain = _plain(name)
    found = _SECRET_NAME.search(plain) or _SHORT_NAME.search(name)
    return found is not None and not _REFERENCE.search(plain)


def is_named(name: str, fields: Mapping[object, object]) -> bool:
    """Whether the field has what another says to be a secret: `value` beside `name`."""
    return name.lower() == _NAMED and any(
        str(field).lower() in _NAMING
        and isinstance(said, str)
        and _PLAIN_NAME.fullmatch(said) is not None
        and is_secret_name(said)
        for field, said in fields.items()
    )


def is_no_value(text: str) -> bool:
    """Whether it says that there is no secret, or none to be seen."""
    plain = text.strip().lower()
    return plain in _NO_VALUE or not plain.strip("*")


def _plain(name: str) -> str:
    return re.sub(r"[ _.-]", "", name.lower())


def _is_sentence(line: str, key: re.Match[str]) -> bool:
    """Whether what follows the name is no secret but a sentence that goes on. Looks at one word."""
    if not (key["sign"] or "").endswith(": ") or not _plain(key["name"]).endswith(_IN_SENTENCES):
        return False
    opening = _QUOTE.match(line, key.end())
    word = _SENTENCE.match(line, opening.end() if opening else key.end())
    if word is None:
        return False
    if opening is None:
        return _WORD_ENDS.match(line, word.end()) is not None
    closing = _QUOTE.match(line, word.end())
    closed = closing is not None and closing[0] == opening[0]
    return closed or line[word.end() : word.end() + 1] in ("", " ")


def _before(line: str, key: re.Match[str], stop: int) -> tuple[int, int, str] | None:
    """As `_value`, if the value is one and ends just before the field that begins at `stop`."""
    start, end, instead = _value(line, key, stop)
    between = _BETWEEN_FIELDS.match(line, end, stop)
    if between is None or between.end() != stop or is_no_value(line[start:end]):
        return None
    return start, end, instead


def _value(line: str, key: re.Match[str], stop: int) -> tuple[int, int, str]:
    """Where the value of a name begins and ends, before `stop`, and what to write there."""
    at = key.end()
    if opening := _QUOTE.match(line, at, stop):
        return opening.end(), _closing(line, opening, stop), REDACTED
    around = key["quote"] or ""
    instead = f"{around}{REDACTED}{around}"
    if line[at : at + 1] in ("[", "{"):
        return at, _bracketed(line, at, stop), instead
    before = line[max(0, key.start() - 1) : key.start()]
    if _plain(key["name"]).endswith(_WHOLE_LINE) or _ESCAPED_BLOCK.match(line, at, stop):
        pattern = _REST
    else:
        pattern = _QUERY_WORD if before in ("?", "&") else _WORD
    found = pattern.match(line, at, stop)
    word = found[0].rstrip(_TRAILING) if found else ""
    return at, at + len(word), instead


def _closing(line: str, opening: re.Match[str], stop: int) -> int:
    """Where the quoted text ends: at the same quote, escaped as often; else with the line."""
    slashes = len(opening["slashes"])
    for found in _QUOTE.finditer(line, opening.end(), stop):
        before = len(found["slashes"])
        if found["mark"] != opening["mark"]:
            continue
        if before <= slashes:
            return found.start()
        if slashes == 0 and before % 2 == 0:  # the slashes are the value's own
            return found.end() - 1
    return stop


def _bracketed(line: str, at: int, stop: int) -> int:
    """Where the list or object ends that begins there; else with the line."""
    depth = 0
    for bracket in _BRACKET.finditer(line, at, stop):
        depth += 1 if bracket[0] in "[{" else -1
        if depth == 0:
            return bracket.end()
    return stop
