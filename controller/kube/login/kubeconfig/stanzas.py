"""What a kubeconfig may say, as far as it says where to go and who we are; nothing is checked yet.

Only what client-go knows by exactly these names is read; all else is passed over, as it does.
Fields say what they are by their names in the file. None is as good as empty.
"""

from datetime import datetime
from typing import Any

import msgspec


class Extension(msgspec.Struct, frozen=True):
    """What a cluster says for others than kubectl: for a plugin, by a name that is agreed."""

    name: str | None = None
    extension: Any = None


class Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    """A server, and by what it is known."""

    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None  # a path, absolute once it was merged
    certificate_authority_data: str | None = None  # base64 of PEM
    proxy_url: str | None = None
    disable_compression: bool | None = None
    extensions: list[Extension] | None = None


class Variable(msgspec.Struct, frozen=True):
    """One of a plugin's environment."""

    name: str | None = None
    value: str | None = None


class ExecPlugin(msgspec.Struct, frozen=True, rename="camel"):
    """A program that says who we are."""

    api_version: str | None = None
    command: str | None = None  # with a slash a path, absolute once it was merged; else a name
    args: list[str] | None = None
    env: list[Variable] | None = None
    install_hint: str | None = None
    provide_cluster_info: bool | None = None
    interactive_mode: str | None = None


class AuthProvider(msgspec.Struct, frozen=True):
    """A way to log in that once was built into kubectl."""

    name: str | None = None
    config: dict[str, str] | None = None


class User(msgspec.Struct, frozen=True, rename="kebab"):
    """Who we are, and as whom we act."""

    client_certificate: str | None = None  # a path, absolute once it was merged
    client_certificate_data: str | None = None  # base64 of PEM
    client_key: str | None = None  # a path, absolute once it was merged
    client_key_data: str | None = None  # base64 of PEM
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")  # a path, likewise
    act_as: str | None = msgspec.field(default=None, name="as")
    act_as_uid: str | None = msgspec.field(default=None, name="as-uid")
    act_as_groups: list[str] | None = msgspec.field(default=None, name="as-groups")
    act_as_extra: dict[str, list[str]] | None = msgspec.field(default=None, name="as-user-extra")
    username: str | None = None
    password: str | None = None
    auth_provider: AuthProvider | None = None
    exec: ExecPlugin | None = None

    def __repr__(self) -> str:
        return "User(…)"  # it holds secrets


class Context(msgspec.Struct, frozen=True):
    """A cluster and a user by their names, and a namespace."""

    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class NamedCluster(msgspec.Struct, frozen=True):
    name: str | None = None
    cluster: Cluster | None = None


class NamedUser(msgspec.Struct, frozen=True):
    name: str | None = None
    user: User | None = None


class NamedContext(msgspec.Struct, frozen=True):
    name: str | None = None
    context: Context | None = None


class File(msgspec.Struct, frozen=True, rename="kebab"):
    """One kubeconfig as it stands."""

    api_version: str | None = msgspec.field(default=None, name="apiVersion")
    kind: str | None = None
    current_context: str | None = None
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None


class CredentialStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Who we are, as a plugin says it."""

    token: str | None = None
    client_certificate_data: str | None = None  # PEM
    client_key_data: str | None = None  # PEM
    expiration_timestamp: datetime | None = None  # None: it does not expire

    def __repr__(self) -> str:
        return "CredentialStatus(…)"  # it holds secrets


class ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    """What a plugin writes."""

    api_version: str | None = None
    kind: str | None = None
    status: CredentialStatus | None = None
