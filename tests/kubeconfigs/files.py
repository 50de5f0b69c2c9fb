"""Which files count, and which context of them."""

import json

from tests.kubeconfigs.row import BEARER, OTHER, TOKEN, Row, config, other, plain_config

TWO = "@DIR@/a:@DIR@/b"

FILES = [
    Row("the file of the variable", {"a": config(TOKEN)}, BEARER),
    Row("two current contexts: the first", {"a": config(TOKEN), "b": other("dvy")}, BEARER, TWO),
    Row("the same names twice: the first", {"a": config(TOKEN), "b": other()}, BEARER, TWO),
    Row(
        "a user twice: the first, whole",
        {"a": config(TOKEN), "b": config({"token": "b", "as": "jane"})},
        BEARER,
        TWO,
    ),
    Row(
        "a user twice, the first of them empty",
        {"a": config({}), "b": config(TOKEN)},
        "has no token, certificate",
        TWO,
    ),
    Row(
        "a context of one file, its cluster and user of others",
        {
            "a": config(TOKEN, contexts=[], clusters=[]),
            "b": config({}, users=[], clusters=[]),
            "c": config({}, users=[], contexts=[]),
        },
        BEARER,
        f"{TWO}:@DIR@/c",
    ),
    Row(
        "an empty current context before another",
        {"a": config(TOKEN, **{"current-context": ""}), "b": other("dvy")},
        OTHER,
        TWO,
    ),
    Row("a missing file before a good one", {"b": other()}, OTHER, TWO),
    Row("an empty file before a good one", {"a": "", "b": other()}, OTHER, TWO),
    Row("an empty file after a good one", {"a": config(TOKEN), "b": ""}, BEARER, TWO),
    Row("a file of comments before a good one", {"a": "# none\n", "b": other()}, OTHER, TWO),
    Row("lists that are null", {"a": '{"users": null}', "b": other()}, OTHER, TWO),
    Row("a folder beside a good one", {"a/x": "", "b": other()}, "a cannot be read", TWO),
    Row("a garbled file beside a good one", {"a": "{", "b": other()}, "a cannot be used", TWO),
    Row("no file of the list", {}, "does not exist", TWO, kubectl_goes=False),
    Row(
        "the flag wins", {"a": config(TOKEN), "b": other()}, OTHER, flags=("--kubeconfig=@DIR@/b",)
    ),
    Row(
        "the flag takes one path",
        {"a": config(TOKEN), "b": other()},
        "takes one path",
        None,
        ("--kubeconfig=@DIR@/a:@DIR@/b",),
    ),
    Row(
        "the flag's file must be there",
        {"a": config(TOKEN)},
        "b does not exist",
        flags=("--kubeconfig=@DIR@/b",),
    ),
    Row("the file at home", {"home/.kube/config": config(TOKEN)}, BEARER, None),
    Row("an empty variable: at home", {"home/.kube/config": config(TOKEN)}, BEARER, ""),
    Row("a path from here", {"a": config(TOKEN)}, BEARER, "a"),
    Row("a tilde is the shell's", {"home/a": config(TOKEN)}, "the shell's", "~/a"),
    Row("a file that may not be read", {"a": config(TOKEN)}, "Permission denied", as_root=False),
    Row(
        "another context",
        {"a": config(TOKEN), "b": other("dvy")},
        OTHER,
        TWO,
        ("--context=y",),
    ),
    Row(
        "no such context",
        {"a": config(TOKEN)},
        "no context z; there are: x",
        flags=("--context=z",),
    ),
    Row("no such current context", {"a": config(TOKEN, **{"current-context": "z"})}, "context z"),
    Row("no cluster of that name", {"a": config(TOKEN, clusters=[])}, "cluster c is in no file"),
    Row("a context without a cluster", {"a": config(TOKEN, context={"cluster": ""})}, "no cluster"),
    Row("a context without a user", {"a": config(TOKEN, context={"user": ""})}, "names no user"),
    Row("no user of that name", {"a": config(TOKEN, users=[])}, "user u is in no file"),
    Row("two users of one name", {"a": config({}, users=[{"name": "u"}] * 2)}, "two of its users"),
    Row(
        "names with dots and slashes",
        {
            "a": json.dumps(plain_config(TOKEN)).replace('"c"', '"arn:aws:eks/a.b@c"'),
        },
        BEARER,
    ),
]
