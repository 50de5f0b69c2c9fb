"""Where a cluster is, and by what it is known."""

from tests.kubeconfigs.row import BEARER, TOKEN, Asked, Row, config, plugin

DATA = {"certificate-authority": "", "certificate-authority-data": "@CA64@"}

CLUSTERS = [
    Row("a CA as data", {"a": config(TOKEN, DATA)}, BEARER),
    Row(
        "empty data beside a CA file",
        {"a": config(TOKEN, {"certificate-authority-data": ""})},
        BEARER,
    ),
    Row(
        "data that is null beside a file",
        {"a": config(TOKEN, {"certificate-authority-data": None})},
        BEARER,
    ),
    Row(
        "data and a file",
        {"a": config(TOKEN, {"certificate-authority-data": "@CA64@"})},
        "both given",
    ),
    Row(
        "data that is no base64",
        {"a": config(TOKEN, DATA | {"certificate-authority-data": "a b"})},
        "no base64",
    ),
    Row(
        "data that is no certificate",
        {"a": config(TOKEN, DATA | {"certificate-authority-data": "aGk="})},
        "cannot be used",
    ),
    Row(
        "a CA beside its kubeconfig, not beside us",
        {"s/a": config(TOKEN, {"certificate-authority": "ca.crt"}), "s/ca.crt": "@CA-TEXT@"},
        BEARER,
        "@DIR@/none:@DIR@/s/a",
    ),
    Row(
        "a CA that is not there",
        {"a": config(TOKEN, {"certificate-authority": "none"})},
        "cannot be read",
    ),
    Row(
        "no CA: those of the system",
        {"a": config(TOKEN, {"certificate-authority": ""})},
        "certificate that is not trusted",
    ),
    Row(
        "any certificate",
        {"a": config(TOKEN, {"certificate-authority": "", "insecure-skip-tls-verify": True})},
        BEARER,
    ),
    Row(
        "any certificate, and a CA",
        {"a": config(TOKEN, {"insecure-skip-tls-verify": True})},
        "insecure-skip-tls-verify",
    ),
    Row(
        "a name for the certificate",
        {"a": config(TOKEN, {"tls-server-name": "api.example"})},
        Asked(authorization="Bearer t", server_name="api.example"),
    ),
    Row(
        "a name that is not the certificate's",
        {"a": config(TOKEN, {"tls-server-name": "other.example"})},
        "not trusted",
    ),
    Row(
        "a path",
        {"a": config(TOKEN, {"server": "@A@/k8s/clusters/c-1"})},
        Asked(path="/k8s/clusters/c-1/version", authorization="Bearer t"),
    ),
    Row(
        "a path with a slash at its end",
        {"a": config(TOKEN, {"server": "@A@/k8s/"})},
        Asked(path="/k8s/version", authorization="Bearer t"),
    ),
    Row("no scheme", {"a": config(TOKEN, {"server": "127.0.0.1:1"})}, "not http:// or https://"),
    Row("no server", {"a": config(TOKEN, {"server": ""})}, "has no server"),
    Row(
        "no compression",
        {"a": config(TOKEN, {"disable-compression": True})},
        Asked(authorization="Bearer t", compressed=False),
    ),
    Row(
        "a truth value in quotes",
        {"a": config(TOKEN, {"disable-compression": "true"})},
        "Expected bool",
    ),
    Row("a proxy of an unknown kind", {"a": config(TOKEN, {"proxy-url": "ftp://h"})}, "proxy-url"),
    Row("a proxy without a scheme", {"a": config(TOKEN, {"proxy-url": "h:1"})}, "proxy-url"),
    Row("nobody at plain HTTP", {"a": config({}, {"server": "@PLAIN@"})}, Asked("PLAIN")),
    Row("no token at plain HTTP", {"a": config(TOKEN, {"server": "@PLAIN@"})}, Asked("PLAIN")),
    Row("no plugin at plain HTTP", {"a": config(plugin(), {"server": "@PLAIN@"})}, Asked("PLAIN")),
    Row(
        "somebody else at plain HTTP",
        {"a": config({"as": "jane"}, {"server": "@PLAIN@"})},
        Asked("PLAIN", acts_as=(("impersonate-user", "jane"),)),
    ),
]
