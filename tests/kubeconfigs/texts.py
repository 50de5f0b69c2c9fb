"""What a text is taken for."""

import json

from tests.kubeconfigs.row import BEARER, TOKEN, Asked, Row, config, plain_config, yaml

TEXTS = [
    Row("YAML", {"a": yaml("token: t")}, BEARER),
    Row("YAML with line ends of Windows", {"a": yaml("token: t").replace("\n", "\r\n")}, BEARER),
    Row("YAML with a mark of order", {"a": yaml("token: t").encode("utf-8-sig")}, BEARER),
    Row("YAML in UTF-16", {"a": yaml("token: t").encode("utf-16")}, BEARER),
    Row(
        "YAML in Latin-1", {"a": (yaml("token: t") + "# é\n").encode("latin-1")}, "no text of YAML"
    ),
    Row("YAML with tabs", {"a": yaml("token: t").replace("    ", "\t")}, "a tab stands where"),
    Row("JSON with tabs", {"a": json.dumps(plain_config(TOKEN), indent="\t")}, BEARER),
    Row(
        "anchors",
        {"a": yaml("token: &t t\n    as: *t")},
        Asked(authorization="Bearer t", acts_as=(("impersonate-user", "t"),)),
    ),
    Row("a second document", {"a": yaml("token: t") + "---\ncurrent-context: z\n"}, BEARER),
    Row("a key twice: the last", {"a": yaml("token: a\n    token: t")}, BEARER),
    Row(
        "a key twice in JSON", {"a": config(TOKEN)[:-1] + ', "current-context": "z"}'}, "context z"
    ),
    Row("a list", {"a": "[]"}, "cannot be used"),
    Row("users as a mapping", {"a": config({}, users={"u": TOKEN})}, "cannot be used"),
    Row("another kind", {"a": config(TOKEN, kind="Pod", apiVersion="v1")}, "no Config of v1"),
    Row("another version", {"a": config(TOKEN, kind="Config", apiVersion="v2")}, "no Config of v1"),
    Row("keys in other letters", {"a": config({"Token": "b", "token": "t"})}, BEARER),
    Row(
        "a token that is a date",
        {"a": yaml("token: 2026-01-01")},
        Asked(authorization="Bearer 2026-01-01"),
    ),
    Row("a token that is a time", {"a": yaml("token: 1:30")}, Asked(authorization="Bearer 1:30")),
    *(
        Row(f"a token that is the number {number}", {"a": yaml(f"token: {number}")}, "Expected str")
        for number in ("5", "1_000", "1e3", "0o7", "0x1f", "1.5", ".5")
    ),
    *(
        Row(f"a token that is {word}", {"a": yaml(f"token: {word}")}, "Expected str")
        for word in ("yes", "y", "Off", "true")
    ),
    Row(
        "a context's name that is a number",
        {"a": config(TOKEN, contexts=[{"name": 5}])},
        "Expected str",
    ),
]
