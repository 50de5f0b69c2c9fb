"""One reading of a kubeconfig, down to what a request needs: header, TLS, and until when."""

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import orjson

from controller.base.errors import BootstrapError, SettingsFault
from controller.base.text import shown
from controller.kube.login.kubeconfig.chosen import Chosen, choose, decoded
from controller.kube.login.kubeconfig.exec_plugin import Surrounding, ask_plugin
from controller.kube.login.kubeconfig.files import Files
from controller.kube.login.kubeconfig.stanzas import CredentialStatus, User
from controller.kube.login.tls import TlsFiles, load_files, tls_context

# What a header's name may hold; all else of a name is escaped
# [K client-go/transport/round_trippers.go].
_IN_NAMES = "!#$&'*+-.^_`|~"


@dataclass(frozen=True)
class Login:
    """What was read. Its repr holds no secret."""

    chosen: Chosen
    url: str
    tls: ssl.SSLContext | None  # None over plain HTTP
    server_name: str | None
    proxy: str | None  # of the kubeconfig
    header: str | None  # None where TLS says who we are, or nobody does
    certificate: bytes = b""  # of ours, the file's content; empty for none
    token_file: Path | None = None  # read with each request; the header is for when it cannot be
    expires: datetime | None = None  # None: it is not known to

    def __repr__(self) -> str:
        return f"Login({self.url!r})"


class Reader:
    """Reads the files anew, and asks a plugin anew, at each `login`."""

    def __init__(self, files: Files, context: str | None, around: Surrounding) -> None:
        self._files = files
        self._context = context
        self._around = around

    async def login(self, tls: ssl.SSLContext | None = None) -> Login:
        """tls: of the reading before, which gets the new files; None for a new one.

        Raises SettingsFault, and Unavailable where a plugin failed. Nothing that is raised holds a
        secret, nor does its trace.
        """
        name = self._files.place.name
        chosen = choose(self._files.merged(), self._context, name)
        try:
            status = await self._asked(chosen)
            with tempfile.TemporaryDirectory(prefix="bootstrap-controller-") as folder:
                return _login(chosen, status, Path(folder), tls)
        except BootstrapError:
            raise
        except ValueError as fault:
            raise SettingsFault([f"{name}, context {shown(chosen.context)}: {fault}"]) from None
        except OSError as error:
            raise SettingsFault([f"{name} cannot be used ({type(error).__name__})"]) from None

    async def _asked(self, chosen: Chosen) -> CredentialStatus | None:
        """None where nobody is to be asked: what the file itself says counts first."""
        user = chosen.user
        certificate = user.client_certificate or user.client_certificate_data
        said = user.token or user.token_file or user.username or certificate
        if user.exec is None or said or not chosen.secure:
            return None
        return await ask_plugin(user.exec, chosen, self._around)


def _login(
    chosen: Chosen, status: CredentialStatus | None, folder: Path, tls: ssl.SSLContext | None
) -> Login:
    """folder: for what has to be a file, as long as it is read."""
    user = chosen.user if chosen.secure else User()
    bearer, expires = _bearer(user, status)
    cluster = chosen.cluster
    certificate, key = _certificate(user, status, folder)
    if chosen.secure:
        verify = not cluster.insecure_skip_tls_verify
        wanted = TlsFiles(_authority(chosen, folder), certificate, key, verify)
        if tls is None:
            tls = tls_context(wanted)
        else:
            load_files(tls, wanted)
    header = _header(bearer, user)
    if header is not None and not header.isprintable():
        raise ValueError("its token or password holds a character that no header can")
    return Login(
        chosen,
        url=(cluster.server or "").rstrip("/"),
        tls=tls if chosen.secure else None,
        server_name=(cluster.tls_server_name or None) if chosen.secure else None,
        proxy=cluster.proxy_url or None,
        header=header,
        certificate=Path(certificate).read_bytes() if certificate and chosen.secure else b"",
        token_file=Path(user.token_file) if user.token_file else None,
        expires=expires,
    )


def _bearer(user: User, status: CredentialStatus | None) -> tuple[str, datetime | None]:
    """A token, empty for none, and when it expires."""
    if status is not None:
        return status.token or "", status.expiration_timestamp
    if user.token or user.token_file or user.username or user.auth_provider is None:
        return user.token or "", None
    token = (user.auth_provider.config or {}).get("id-token", "")
    expires = _expiry_of(token)
    if expires is None:
        raise ValueError(
            "its auth-provider oidc has no id-token that can be read: log in by kubectl, or use an"
            " exec plugin such as kubelogin"
        )
    return token, expires


def _header(bearer: str, user: User) -> str | None:
    """None where nothing in the header says who we are."""
    if bearer:
        return f"Bearer {bearer}"
    if not user.username:
        return None
    basic = f"{user.username}:{user.password or ''}"
    return f"Basic {base64.b64encode(basic.encode()).decode()}"


def _expiry_of(token: str) -> datetime | None:
    """Of a JWT; None where it does not say."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _authority(chosen: Chosen, folder: Path) -> str | None:
    """The path of the cluster's CA; None where it brings none."""
    cluster = chosen.cluster
    if content := decoded(cluster.certificate_authority_data, "certificate-authority"):
        return _written(folder / "ca", content)
    return cluster.certificate_authority or None


def _certificate(
    user: User, status: CredentialStatus | None, folder: Path
) -> tuple[str | None, str | None]:
    """The paths of ours and of its key; None for both where we have none."""
    if status is not None:
        certificate = (status.client_certificate_data or "").encode()
        key = (status.client_key_data or "").encode()
    else:
        certificate = decoded(user.client_certificate_data, "client-certificate")
        key = decoded(user.client_key_data, "client-key")
    ours = _written(folder / "certificate", certificate) if certificate else user.client_certificate
    if not ours:
        return None, None
    return ours, _written(folder / "key", key) if key else user.client_key


def _written(path: Path, content: bytes) -> str:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


def acting_as(user: User) -> tuple[tuple[str, str], ...]:
    """The headers by which we act as somebody else; none where nobody is named. Raises ValueError.

    They are sent over plain HTTP, too, as client-go does.
    """
    if not user.act_as:
        return ()
    found = [("Impersonate-User", user.act_as)]
    if user.act_as_uid:
        found.append(("Impersonate-Uid", user.act_as_uid))
    found += [("Impersonate-Group", group) for group in user.act_as_groups or ()]
    for key, values in (user.act_as_extra or {}).items():
        name = f"Impersonate-Extra-{quote(key, safe=_IN_NAMES)}"
        found += [(name, value) for value in values]
    if not all(value.isprintable() for _, value in found):
        raise ValueError("`as` or what goes with it holds a character that no header can")
    return tuple(found)
