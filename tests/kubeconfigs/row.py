"""A row of the table of kubeconfigs, and how its files are written.

In the texts of files stand marks for what is known only when servers listen: `@A@` and `@B@` are
URLs of two servers with TLS, `@PLAIN@` of one without; `@CA@`, `@CERT@` and `@KEY@` are paths,
`@CA64@`, `@CERT64@` and `@KEY64@` their contents, and `@DIR@` is the folder of the files.
"""

import json
from dataclasses import dataclass, field
from typing import Any

V1 = "client.authentication.k8s.io/v1"


@dataclass(frozen=True)
class Asked:
    """A request as a server saw it."""

    server: str = "A"
    path: str = "/version"
    authorization: str = ""
    acts_as: tuple[tuple[str, str], ...] = ()  # headers, their names in small letters, sorted
    certificate: str = ""  # common name of the client's
    server_name: str = ""  # as TLS had it; empty for an address
    compressed: bool = True  # an answer may be


@dataclass(frozen=True)
class Row:
    """One situation of a user. leads: what a server is asked, or our sentence of refusal."""

    name: str
    files: dict[str, str | bytes]
    leads: Asked | str
    kubeconfig: str | None = "@DIR@/a"  # the variable; None for not set
    flags: tuple[str, ...] = ()  # of both programs
    environ: dict[str, str] = field(default_factory=dict)
    kubectl_goes: bool = False  # where we refuse, kubectl does not
    as_root: bool = True  # False: shows nothing to who may read everything


TOKEN: dict[str, Any] = {"token": "t"}
CERTIFICATE = {"client-certificate": "@CERT@", "client-key": "@KEY@"}
BEARER = Asked(authorization="Bearer t")
OTHER = Asked("B", authorization="Bearer b")


def config(
    user: dict[str, Any],
    cluster: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    **top: Any,
) -> str:
    """A kubeconfig of one of each, in JSON; what is given is put over what is usual."""
    return json.dumps(plain_config(user, cluster, context, **top))


def plain_config(
    user: dict[str, Any],
    cluster: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    **top: Any,
) -> dict[str, Any]:
    usual = {"server": "@A@", "certificate-authority": "@CA@"}
    return {
        "clusters": [{"name": "c", "cluster": usual | (cluster or {})}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"} | (context or {})}],
        "current-context": "x",
    } | top


def other(names: str = "cux", **top: Any) -> str:
    """Of the other server. names: of its cluster, user and context."""
    cluster, user, context = names
    return json.dumps(
        {
            "clusters": [
                {
                    "name": cluster,
                    "cluster": {"server": "@B@", "certificate-authority": "@CA@"},
                }
            ],
            "users": [{"name": user, "user": {"token": "b"}}],
            "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
            "current-context": context,
        }
        | top
    )


def yaml(text: str) -> str:
    """A kubeconfig in YAML, of which the line of the token is given."""
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters:\n- name: c\n  cluster:\n"
        "    server: '@A@'\n    certificate-authority: '@CA@'\nusers:\n- name: u\n  user:\n"
        f"    {text}\ncontexts:\n- name: x\n  context:\n    cluster: c\n    user: u\n"
    )


def plugin(**changed: Any) -> dict[str, Any]:
    usual = {"apiVersion": V1, "command": "./plugin", "interactiveMode": "Never"}
    return {"exec": usual | changed}


def program(version: str = V1, status: str = '"token": "of-%s"') -> str:
    """A plugin; its token has the variable WHO in it."""
    answer = f'{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{{status}}}}}'
    return f"#!/bin/sh\nprintf '{answer}' \"$WHO\"\n"
