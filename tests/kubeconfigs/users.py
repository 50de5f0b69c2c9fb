"""Who a user is, and as whom he acts."""

from tests.kubeconfigs.row import BEARER, CERTIFICATE, TOKEN, Asked, Row, config

EVERYBODY = {
    "as": "jane",
    "as-uid": "7",
    "as-groups": ["g", "h"],
    "as-user-extra": {"Scopes": ["v", "w"], "example.com/a b": ["x"]},
}

USERS = [
    Row(
        "a token's file beside its kubeconfig",
        {"s/a": config({"tokenFile": "token"}), "s/token": "t\n"},
        BEARER,
        "@DIR@/s/a",
    ),
    Row(
        "a token and a file: the file",
        {"a": config({"token": "b", "tokenFile": "f"}), "f": "t"},
        BEARER,
    ),
    Row("a token and no file", {"a": config(TOKEN | {"tokenFile": "none"})}, BEARER),
    Row("a token's file that is not there", {"a": config({"tokenFile": "none"})}, "cannot be read"),
    Row("a token's file without one", {"a": config({"tokenFile": "f"}), "f": ""}, "no token"),
    Row("a token of two lines", {"a": config({"token": "t\n"})}, "no header can"),
    Row(
        "a user name and a password",
        {"a": config({"username": "n", "password": "p"})},
        Asked(authorization="Basic bjpw"),
    ),
    Row("a user name alone", {"a": config({"username": "n"})}, Asked(authorization="Basic bjo=")),
    Row("a password alone", {"a": config({"password": "p"})}, "has no token, certificate"),
    Row("a token and a user name", {"a": config(TOKEN | {"username": "n"})}, "leave one out"),
    Row("nobody", {"a": config({})}, "has no token, certificate"),
    Row("a certificate", {"a": config(CERTIFICATE)}, Asked(certificate="client")),
    Row(
        "a certificate as data",
        {"a": config({"client-certificate-data": "@CERT64@", "client-key-data": "@KEY64@"})},
        Asked(certificate="client"),
    ),
    Row(
        "a certificate beside its kubeconfig",
        {
            "s/a": config({"client-certificate": "../c", "client-key": "k"}),
            "c": "@CERT-TEXT@",
            "s/k": "@KEY-TEXT@",
        },
        Asked(certificate="client"),
        "@DIR@/s/a",
    ),
    Row(
        "a certificate and a token",
        {"a": config(CERTIFICATE | TOKEN)},
        Asked(authorization="Bearer t", certificate="client"),
    ),
    Row(
        "a certificate without a key",
        {"a": config({"client-certificate": "@CERT@"})},
        "without a client-key",
    ),
    Row("a key without a certificate", {"a": config({"client-key": "@KEY@"} | TOKEN)}, BEARER),
    Row(
        "a certificate twice",
        {"a": config(CERTIFICATE | {"client-certificate-data": "@CERT64@"})},
        "both given",
    ),
    Row(
        "a certificate that is not there",
        {"a": config(CERTIFICATE | {"client-certificate": "n"})},
        "cannot be read",
    ),
    Row(
        "somebody else",
        {"a": config(TOKEN | {"as": "jane"})},
        Asked(authorization="Bearer t", acts_as=(("impersonate-user", "jane"),)),
    ),
    Row(
        "somebody else, with all that is his",
        {"a": config(TOKEN | EVERYBODY)},
        Asked(
            authorization="Bearer t",
            acts_as=(
                ("impersonate-extra-example.com%2fa%20b", "x"),
                ("impersonate-extra-scopes", "v"),
                ("impersonate-extra-scopes", "w"),
                ("impersonate-group", "g"),
                ("impersonate-group", "h"),
                ("impersonate-uid", "7"),
                ("impersonate-user", "jane"),
            ),
        ),
    ),
    Row("groups of nobody", {"a": config(TOKEN | {"as-groups": ["g"]})}, "without `as`"),
    Row("gcp", {"a": config({"auth-provider": {"name": "gcp"}})}, "gke-gcloud-auth-plugin"),
    Row("azure", {"a": config({"auth-provider": {"name": "azure"}})}, "kubelogin"),
    Row("an unknown provider", {"a": config({"auth-provider": {"name": "z"}})}, "auth-provider z"),
    Row(
        "oidc without its issuer", {"a": config({"auth-provider": {"name": "oidc"}})}, "idp-issuer"
    ),
]
