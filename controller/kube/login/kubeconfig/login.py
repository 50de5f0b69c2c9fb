"""One reading of a kubeconfig, down to what a request needs: header, TLS, and until when."""

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from controller.base.errors import BootstrapError, SettingsFault
from controller.base.text import shown
from controller.kube.login.kubeconfig.chosen import Chosen, choose, decoded
from controller.kube.login.kubeconfig.configuration import configuration_of
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
                return await _login(chosen, status, Path(folder), tls)
        except BootstrapError:
            raise
        except ValueError as fault:
            raise SettingsFault([f"{name}, context {shown(chosen.context)}: {fault}"]) from None
        except Exception as error:  # noqa: BLE001 kubernetes-asyncio may stumble anyhow
            raise SettingsFault([f"{name} cannot be used ({type(error).__name__})"]) from None

    async def _asked(self, chosen: Chosen) -> CredentialStatus | None:
        """None where nobody is to be asked: what the file itself says counts first."""
        user = chosen.user
        certificate = user.client_certificate or user.client_certificate_data
        said = user.token or user.token_file or user.username or certificate
        if user.exec is None or said or not chosen.secure:
            return None
        return await ask_plugin(user.exec, chosen, self._around)


async def _login(
    chosen: Chosen, status: CredentialStatus | None, folder: Path, tls: ssl.SSLContext | None
) -> Login:
    """folder: for what has to be a file, as long as it is read."""
    user = chosen.user if chosen.secure else User()
    bearer, expires = _bearer(user, status)
    cluster, files = _cluster(chosen, folder), _certificate(user, status, folder)
    basic = {"username": user.username, "password": user.password or ""} if user.username else {}
    who: dict[str, str] = {"token": bearer} if bearer else basic
    found = await configuration_of(cluster, who | files)
    if chosen.secure:
        wanted = TlsFiles(found.ssl_ca_cert, found.cert_file, found.key_file, found.verify_ssl)
        if tls is None:
            tls = tls_context(wanted)
        else:
            load_files(tls, wanted)
    header = found.api_key.get("BearerToken")
    if header is not None and not str(header).isprintable():
        raise ValueError("its token or password holds a character that no header can")
    return Login(
        chosen,
        url=str(found.host),
        tls=tls if chosen.secure else None,
        server_name=found.tls_server_name,
        proxy=found.proxy,
        header=None if header is None else str(header),
        certificate=_content(found.cert_file) if found.cert_file else b"",
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


def _expiry_of(token: str) -> datetime | None:
    """Of a JWT; None where it does not say."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _cluster(chosen: Chosen, folder: Path) -> dict[str, Any]:
    cluster = chosen.cluster
    told: dict[str, Any] = {"server": cluster.server}
    if cluster.proxy_url:
        told["proxy-url"] = cluster.proxy_url
    if not chosen.secure:
        return told
    authority = decoded(cluster.certificate_authority_data, "certificate-authority")
    if authority:
        told["certificate-authority"] = _written(folder / "ca", authority)
    elif cluster.certificate_authority:
        told["certificate-authority"] = cluster.certificate_authority
    if cluster.tls_server_name:
        told["tls-server-name"] = cluster.tls_server_name
    if cluster.insecure_skip_tls_verify:
        told["insecure-skip-tls-verify"] = True
    return told


def _certificate(user: User, status: CredentialStatus | None, folder: Path) -> dict[str, str]:
    if status is not None:
        certificate = (status.client_certificate_data or "").encode()
        key = (status.client_key_data or "").encode()
    else:
        certificate = decoded(user.client_certificate_data, "client-certificate")
        key = decoded(user.client_key_data, "client-key")
    told = {
        "client-certificate": _written(folder / "certificate", certificate)
        if certificate
        else user.client_certificate or "",
        "client-key": _written(folder / "key", key) if key else user.client_key or "",
    }
    return told if told["client-certificate"] else {}


def _content(path: str) -> bytes:
    return Path(path).read_bytes()


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
