"""Who we are: the pod's service account, and all that a kubeconfig may say.

Against a small HTTPS server and real files, tokens and credential plugins.
"""

import base64
import json
import ssl
from pathlib import Path
from typing import Any, Self

import pytest

from controller.base.errors import Refused, SettingsFault, Unavailable
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import DEPLOYMENTS
from controller.kube.login.kubeconfig.credentials import load_kubeconfig
from controller.kube.login.pod_or_kubeconfig import load_credentials
from controller.kube.login.service_account import in_cluster, load_in_cluster
from controller.kube.login.tls import TlsFiles, tls_context
from controller.kube.login.token_file import TokenFile
from tests.kube_samples.certificates import ClusterFiles, cluster_files
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.objects import status
from tests.kube_samples.script import reply
from tests.misbehaving import ScriptedServer

GET = Call(DEPLOYMENTS.operation("list", "x"), "GET", DEPLOYMENTS.path("x"))


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ClusterFiles:
    return cluster_files(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def account(tmp_path: Path, files: ClusterFiles) -> Path:
    """The folder of a pod's service account."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "ca.crt").write_bytes(files.ca.read_bytes())
    (folder / "token").write_text("one\n")
    (folder / "namespace").write_text("bootstrap\n")
    return folder


class Gate(ScriptedServer):
    """An API server that lets in who brings `token`."""

    def __init__(self, token: str, tls: ssl.SSLContext | None) -> None:
        self.token = token

        async def respond(request: Any) -> Any:
            good = request.headers.get("Authorization") == f"Bearer {self.token}"
            answer = reply({}) if good or not self.token else reply(status(401), 401)
            return await answer(request, None)  # type: ignore[arg-type]

        super().__init__(respond, tls=tls)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    @property
    def environ(self) -> dict[str, str]:
        """As in a pod of this cluster; the proxy must not be used."""
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }


async def test_a_pod_is_let_in_with_its_token_and_the_clusters_ca(
    account: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """Also where the CA lacks what newer Pythons ask for [39]; past any proxy."""
    async with Gate("one", files.server_context()) as server:
        credentials = load_in_cluster(server.environ, clock, account)
        async with KubeClient(credentials, clock) as client:
            assert await client.fetch(GET) == b"{}"
            assert client.namespace == "bootstrap"


async def test_another_ca_is_not_trusted(
    account: Path, files: ClusterFiles, clock: InstantClock, tmp_path: Path
) -> None:
    """A person must look: trying again will not help."""
    other = cluster_files(tmp_path / "other")
    (account / "ca.crt").write_bytes(other.ca.read_bytes())
    async with Gate("one", files.server_context()) as server:
        credentials = load_in_cluster(server.environ, clock, account)
        async with KubeClient(credentials, clock) as client:
            with pytest.raises(Refused, match="certificate"):
                await client.fetch(GET)


def test_strictness_stays_where_public_cas_are_trusted(files: ClusterFiles) -> None:
    """Only a cluster's own CA is taken as client-go takes it."""
    own, public = tls_context(TlsFiles(ca=str(files.ca))), tls_context(TlsFiles())

    assert not own.verify_flags & ssl.VERIFY_X509_STRICT
    assert own.verify_mode is ssl.CERT_REQUIRED
    assert own.check_hostname
    assert public.verify_flags == ssl.create_default_context().verify_flags


async def test_a_rotated_token_is_used_within_a_minute(
    account: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """Without any 401: the old token may live for a year and then end [40]."""
    async with Gate("", files.server_context()) as server:
        credentials = load_in_cluster(server.environ, clock, account)
        async with KubeClient(credentials, clock) as client:
            await client.fetch(GET)
            (account / "token").write_text("two")
            clock.move(59)
            await client.fetch(GET)
            clock.move(2)
            await client.fetch(GET)
            sent = [each["Authorization"] for each in server.headers]

    assert sent == ["Bearer one", "Bearer one", "Bearer two"]


async def test_a_401_reads_the_token_at_once(
    account: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """And asks once more, not for ever."""
    async with Gate("one", files.server_context()) as server:
        credentials = load_in_cluster(server.environ, clock, account)
        async with KubeClient(credentials, clock) as client:
            await client.fetch(GET)
            (account / "token").write_text("two")
            server.token = "two"
            await client.fetch(GET)
            server.token = "three"
            with pytest.raises(Refused):
                await client.fetch(GET)
            sent = [each["Authorization"][-3:] for each in server.headers]

    assert sent == ["one", "one", "two", "two"]


@pytest.mark.parametrize("change", ["empty", "blank", "gone", "binary"])
def test_a_token_file_without_a_token_for_a_moment_keeps_the_old_one(
    tmp_path: Path, clock: InstantClock, change: str
) -> None:
    """Writing a file is not one step everywhere [42]."""
    path = tmp_path / "token"
    path.write_text("one")
    file = TokenFile(path, clock)
    assert file.token() == "one"
    match change:
        case "empty":
            path.write_text("")
        case "blank":
            path.write_text(" \n")
        case "gone":
            path.unlink()
        case "binary":
            path.write_bytes(b"\xff\x00")
    clock.move(61)
    assert file.token() == "one"
    path.write_text("two")
    file.reread()
    assert file.token() == "two"
    assert "two" not in repr(file)


def test_a_token_that_never_was_is_said(tmp_path: Path, clock: InstantClock) -> None:
    """Nothing is sent without a name."""
    with pytest.raises(Unavailable, match="no token in"):
        TokenFile(tmp_path / "token", clock).token()


def test_we_know_whether_we_are_in_a_cluster(account: Path, tmp_path: Path) -> None:
    """A service host alone is not enough: a pod may have no service account."""
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert in_cluster(environ, account)
    assert not in_cluster({}, account)
    assert not in_cluster(environ, tmp_path)


def written(
    path: Path, url: str, user: dict[str, Any], cluster: dict[str, Any] | None = None
) -> str:
    """A kubeconfig; JSON is YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": url} | (cluster or {})}],
                "users": [{"name": "u", "user": user}],
                "contexts": [
                    {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "nodes"}},
                    {"name": "y", "context": {"cluster": "c", "user": "u"}},
                ],
                "current-context": "x",
            }
        )
    )
    return str(path)


def ca_of(files: ClusterFiles) -> dict[str, Any]:
    return {"certificate-authority": str(files.ca)}


async def test_a_kubeconfig_with_a_token(
    tmp_path: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """The context's namespace comes with it; another context may be asked for."""
    async with Gate("t", files.server_context()) as server:
        path = written(tmp_path / "config", server.url, {"token": "t"}, ca_of(files))
        credentials = await load_kubeconfig(path, None, {}, clock)
        async with KubeClient(credentials, clock) as client:
            await client.fetch(GET)
            assert client.namespace == "nodes"
        assert (await load_kubeconfig(path, "y", {}, clock)).namespace == "default"


async def test_the_kubeconfig_of_the_environment(tmp_path: Path, clock: InstantClock) -> None:
    """KUBECONFIG may name several files; without it there is the one at home."""
    home = tmp_path / "home"
    written(home / ".kube" / "config", "http://home", {"token": "h"})
    path = written(tmp_path / "config", "http://given", {"token": "g"})
    both = {"KUBECONFIG": f"{tmp_path}/missing:{path}", "HOME": str(home)}

    assert (await load_credentials(None, None, both, clock)).endpoint.url == "http://given"
    alone = {"HOME": str(home)}
    assert (await load_credentials(None, None, alone, clock)).endpoint.url == "http://home"
    assert (await load_credentials(path, "y", alone, clock)).endpoint.url == "http://given"


async def test_a_client_certificate(
    tmp_path: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """No Authorization header is sent: TLS says who we are."""
    user = {
        "client-certificate-data": base64.b64encode(files.client_certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(files.client_key.read_bytes()).decode(),
    }
    async with Gate("", files.server_context(wants_client=True)) as server:
        path = written(tmp_path / "config", server.url, user, ca_of(files))
        async with KubeClient(await load_kubeconfig(path, None, {}, clock), clock) as client:
            await client.fetch(GET)
        assert "Authorization" not in server.headers[0]


async def test_a_token_file_beside_the_kubeconfig_rotates(
    tmp_path: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """Its path is relative to the kubeconfig, and it is read again."""
    (tmp_path / "secret").write_text("one")
    async with Gate("one", files.server_context()) as server:
        user = {"tokenFile": "secret"}
        path = written(tmp_path / "config", server.url, user, ca_of(files))
        async with KubeClient(await load_kubeconfig(path, None, {}, clock), clock) as client:
            await client.fetch(GET)
            (tmp_path / "secret").write_text("two")
            server.token = "two"
            await client.fetch(GET)


def plugin(tmp_path: Path, expiry: str | None, code: int = 0) -> dict[str, Any]:
    """A credential plugin whose tokens count its runs: `run-1`, `run-2` …"""
    script = tmp_path / "plugin.sh"
    line = f', "expirationTimestamp": "{expiry}"' if expiry else ""
    script.write_text(
        "#!/bin/sh\n"
        f'echo x >> "{tmp_path}/runs"\n'
        f'count=$(wc -l < "{tmp_path}/runs" | tr -d " ")\n'
        f"echo 'please log in' >&2\n[ {code} = 0 ] || exit {code}\n"
        'printf \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
        f'"status": {{"token": "run-%s"{line}}}}}\' "$count"\n'
    )
    script.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": str(script), "interactiveMode": "Never"}}


async def test_a_plugin_runs_once_until_its_token_expires(
    tmp_path: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """Not with every request; and in time, before the API server says 401."""
    async with Gate("", files.server_context()) as server:
        user = plugin(tmp_path, "2026-11-23T06:10:00Z")
        path = written(tmp_path / "config", server.url, user, ca_of(files))
        async with KubeClient(await load_kubeconfig(path, None, {}, clock), clock) as client:
            for minutes in (0, 5, 4.5, 0):
                clock.move(minutes * 60)
                await client.fetch(GET)
            sent = [each["Authorization"][7:] for each in server.headers]

    # what the second run gives has expired too, and the plugin is still not run at once again
    assert sent == ["run-1", "run-1", "run-2", "run-2"]


async def test_a_401_runs_the_plugin_again_and_not_in_a_loop(
    tmp_path: Path, files: ClusterFiles, clock: InstantClock
) -> None:
    """A login service is not asked with every refused request."""
    async with Gate("run-2", files.server_context()) as server:
        path = written(tmp_path / "config", server.url, plugin(tmp_path, None), ca_of(files))
        async with KubeClient(await load_kubeconfig(path, None, {}, clock), clock) as client:
            clock.move(60)
            await client.fetch(GET)
            server.token = "never"
            for _ in range(3):
                with pytest.raises(Refused):
                    await client.fetch(GET)

    assert (tmp_path / "runs").read_text().count("x") == 2


async def test_a_plugin_that_fails_says_why(tmp_path: Path, clock: InstantClock) -> None:
    """What it wrote is what a person needs."""
    path = written(tmp_path / "config", "https://x", plugin(tmp_path, None, code=3))
    with pytest.raises(Unavailable, match="please log in"):
        await load_kubeconfig(path, None, {}, clock)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "does not exist"),
        ("{", "cannot be used"),
        ("[]", "cannot be used"),
        ("clusters: []", "no current-context"),
        ('{"contexts": [{"name": "a"}], "current-context": "b"}', "no context b; there are: a"),
        (
            '{"contexts": [{"name": "b", "context": {"cluster": "c", "user": "u"}}], "clusters": '
            '[], "users": [{"name": "u", "user": {"token": "s3cret"}}], "current-context": "b"}',
            "the cluster c is in no file",
        ),
        (
            '{"contexts": [{"name": "b", "context": {"user": "u"}}], "clusters": [{"name": "c", '
            '"cluster": {"server": "https://h", "token": "s3cret"}}], "users": '
            '[{"name": "u", "user": {"token": "s3cret"}}], "current-context": "b"}',
            "it names no cluster",
        ),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_is_said_without_its_secrets(
    tmp_path: Path, clock: InstantClock, text: str | None, said: str
) -> None:
    """One sentence for a person; the file's content is in no message and in no trace."""
    if text is not None:
        (tmp_path / "config").write_text(text)
    with pytest.raises(SettingsFault, match=said) as caught:
        await load_kubeconfig(str(tmp_path / "config"), None, {}, clock)

    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://h:99999", "it is no URL"),
        ("https://[::1", "it is no URL"),
        ("localhost:8080", "it is not http"),
        ("https://admin:hunter2@h", "it holds a user"),
    ],
)
async def test_a_server_that_cannot_be_asked_is_a_fault_of_the_kubeconfig(
    tmp_path: Path, clock: InstantClock, url: str, why: str
) -> None:
    """Is it found at the start, and not by aiohttp's parser at the first request?"""
    path = written(tmp_path / "config", url, {"token": "t"})
    with pytest.raises(SettingsFault, match="the URL of the server of the cluster c") as caught:
        await load_kubeconfig(path, None, {}, clock)
    assert why in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_a_service_that_makes_no_url_is_a_fault(account: Path, clock: InstantClock) -> None:
    """Are the variables named that a pod without a cluster's own would have?"""
    environ = {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "99999"}
    with pytest.raises(SettingsFault, match="KUBERNETES_SERVICE_PORT make no URL"):
        load_in_cluster(environ, clock, account)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("10.96.0.1", "https://10.96.0.1:443"),
        ("fd00:10:96::1", "https://[fd00:10:96::1]:443"),
        ("kubernetes.default.svc", "https://kubernetes.default.svc:443"),
    ],
)
def test_the_api_server_of_a_pod_is_the_one_that_the_kubelet_names(
    account: Path, clock: InstantClock, host: str, url: str
) -> None:
    """Is it read from the pod's own variables, an address of IPv6 too?"""
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    assert load_in_cluster(environ, clock, account).endpoint.url == url


async def test_the_pods_own_credentials_are_ours_unless_others_are_asked_for(
    account: Path, tmp_path: Path, clock: InstantClock
) -> None:
    """Does a kubeconfig or a context that was given win over the pod's service account?"""
    environ = {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBECONFIG": written(tmp_path / "config", "http://given", {"token": "g"}),
    }
    for kubeconfig, context, url in (
        (None, None, "https://10.96.0.1:443"),
        (environ["KUBECONFIG"], None, "http://given"),
        (None, "y", "http://given"),
    ):
        found = await load_credentials(kubeconfig, context, environ, clock, account)
        assert found.endpoint.url == url


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("token", None, "token cannot be read (No such file or directory)"),
        ("token", b"\n", "token is empty"),
        ("ca.crt", None, "ca.crt cannot be read (No such file or directory)"),
        ("ca.crt", b"", "ca.crt is empty"),
        ("ca.crt", b"no certificate", "TLS files cannot be used"),
    ],
)
def test_a_service_account_that_cannot_be_used_is_said(
    account: Path, clock: InstantClock, name: str, content: bytes | None, said: str
) -> None:
    """Is the file named that is missing, empty or garbled?"""
    if content is None:
        (account / name).unlink()
    else:
        (account / name).write_bytes(content)
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(SettingsFault) as caught:
        load_in_cluster(environ, clock, account)
    assert said in str(caught.value)


@pytest.mark.parametrize("missing", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
def test_a_pod_without_the_clusters_variables_is_told_which(
    account: Path, clock: InstantClock, missing: str
) -> None:
    """Is the variable named that the kubelet should have set?"""
    environ = {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "443"} | {missing: ""}
    with pytest.raises(SettingsFault, match=f"cannot be used: .*{missing}.* is not set"):
        load_in_cluster(environ, clock, account)


async def test_a_proxy_of_the_kubeconfig_or_the_environment_is_used(
    tmp_path: Path, clock: InstantClock
) -> None:
    """The kubeconfig's own wins."""
    environ = {"HTTPS_PROXY": "http://env:1"}
    plain = written(tmp_path / "a", "https://api.example", {"token": "t"})
    own = written(
        tmp_path / "b", "https://api.example", {"token": "t"}, {"proxy-url": "http://own:2"}
    )

    assert (await load_kubeconfig(plain, None, environ, clock)).endpoint.proxy == "http://env:1"
    assert (await load_kubeconfig(own, None, environ, clock)).endpoint.proxy == "http://own:2"
    assert (await load_kubeconfig(plain, None, {}, clock)).endpoint.proxy is None
