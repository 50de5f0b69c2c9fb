"""Credential plugins."""

from typing import Any

from tests.kubeconfigs.row import (
    BEARER,
    CERTIFICATE,
    TOKEN,
    V1,
    Asked,
    Row,
    config,
    plugin,
    program,
)


def _plugin(name: str, leads: Asked | str, text: str = "", **changed: Any) -> Row:
    return Row(
        f"a plugin {name}",
        {"s/a": config(plugin(**changed)), "s/plugin": text or program()},
        leads,
        "@DIR@/s/a",
    )


OF_NOBODY = Asked(authorization="Bearer of-")

PLUGINS = [
    _plugin("beside its kubeconfig", OF_NOBODY),
    _plugin(
        "with a variable", Asked(authorization="Bearer of-me"), env=[{"name": "WHO", "value": "me"}]
    ),
    _plugin(
        "of the older version",
        OF_NOBODY,
        program(f"{V1}beta1"),
        apiVersion=f"{V1}beta1",
        interactiveMode=None,
    ),
    _plugin("of a version that is gone", "apiVersion", apiVersion=f"{V1}alpha1"),
    _plugin("without a mode", "interactiveMode", interactiveMode=None),
    _plugin("of an unknown mode", "interactiveMode", interactiveMode="Sometimes"),
    _plugin("that wants a person", "wants a person", interactiveMode="Always"),
    _plugin("that may ask a person", OF_NOBODY, interactiveMode="IfAvailable"),
    _plugin(
        "that is not installed",
        "is not installed: get it at example.com",
        command="no-such-plugin",
        installHint="get it\nat example.com",
    ),
    _plugin("that is not there", "is not there", command="./none"),
    _plugin("that is no program", "cannot be run", command="./a"),
    _plugin("without a command", "no command", command=""),
    _plugin("with a number among its arguments", "Expected str", args=[1]),
    _plugin(
        "that fails", "ended with 3: log in first", "#!/bin/sh\necho log in first >&2\nexit 3\n"
    ),
    _plugin("that writes something else", "does not answer as one", "#!/bin/sh\necho hello\n"),
    _plugin("that writes nothing", "wrote no ExecCredential", "#!/bin/sh\n"),
    _plugin("that answers in another version", "apiVersion", program(f"{V1}beta1")),
    _plugin("that says nobody", "neither a token nor a certificate", program(status="")),
    _plugin(
        "that gives a certificate alone",
        "only one of",
        program(status='"clientCertificateData": "@CERT-LINE@"'),
    ),
    _plugin(
        "that gives a certificate",
        Asked(certificate="client"),
        program(status='"clientCertificateData": "@CERT-LINE@", "clientKeyData": "@KEY-LINE@"'),
    ),
    _plugin(
        "that answers in YAML",
        Asked(authorization="Bearer of-"),
        f"#!/bin/sh\necho 'apiVersion: {V1}'\necho 'kind: ExecCredential'\n"
        "echo 'status: {token: of-}'\n",
    ),
    Row(
        "a plugin in PATH",
        {"bin/plugin": program(), "a": config(plugin(command="plugin"))},
        OF_NOBODY,
        environ={"PATH": "@DIR@/bin:@PATH@"},
    ),
    Row("a plugin beside a token", {"plugin": program(), "a": config(plugin() | TOKEN)}, BEARER),
    Row(
        "a plugin beside a certificate",
        {"plugin": program(), "a": config(plugin() | CERTIFICATE)},
        Asked(certificate="client"),
    ),
    Row(
        "a plugin and a provider",
        {"plugin": program(), "a": config(plugin() | {"auth-provider": {"name": "oidc"}})},
        "both given",
    ),
    Row(
        "a plugin that acts as somebody",
        {"plugin": program(), "a": config(plugin() | {"as": "j"})},
        Asked(authorization="Bearer of-", acts_as=(("impersonate-user", "j"),)),
    ),
]
