"""Settings: defaults, who wins, and that every fault is told at once and in plain words.

Included: options read from mappings, the password file. Excluded: the command line itself.
"""

from pathlib import Path

import pytest

from controller.base.errors import SettingsFault
from controller.domain.defaults import COMPARE_URL
from controller.domain.mirrors import Mirrors
from controller.domain.node_url import NodeUrl
from controller.settings.page import PageSettings
from controller.settings.settings import (
    ClusterSettings,
    EngineSettings,
    ListenSettings,
    LogSettings,
    NodeSettings,
    RegistrySettings,
    Settings,
    StoreSettings,
    load_settings,
)
from controller.settings.values import DogStatsd
from controller.settings.webhook import WebhookSettings
from tests.private_ca import private_ca


def faults(flags: dict[str, object], environ: dict[str, str] | None = None) -> list[str]:
    """What is wrong with these settings."""
    with pytest.raises(SettingsFault) as caught:
        load_settings(flags, environ or {})
    return caught.value.faults


def only_fault(flags: dict[str, object], environ: dict[str, str] | None = None) -> str:
    """The one thing that is wrong with these settings."""
    (fault,) = faults(flags, environ)
    return fault


HOOK = "https://hooks.example.com/services/T0/B0/s3cret"


def _hook(folder: Path) -> Path:
    file = folder / "webhook"
    file.write_text(f"{HOOK}\n")
    return file


def test_every_default_is_the_documented_one() -> None:
    """Does nothing at all being set give exactly the defaults that people may rely on?"""
    assert load_settings({}, {}) == Settings(
        cluster=ClusterSettings(
            kubeconfig=None,
            context=None,
            namespaces=(),
            selector="bootstrap.avax.network/test=true",
            identity=None,
        ),
        store=StoreSettings(url="memory://", password=None, prefix="bootstrap"),
        registry=RegistrySettings(poll_interval=60.0, mirrors=Mirrors(), auth_file=None),
        node=NodeSettings(probe_interval=30.0, url=None),
        engine=EngineSettings(
            resync_interval=300.0,
            settle=60.0,
            max_open_runs=None,
            compare_url=COMPARE_URL,
            dry_run=False,
        ),
        dogstatsd=None,
        webhook=None,
        listen=ListenSettings(host="::", port=8080),
        page=None,
        logs=LogSettings(format="auto", level="info"),
    )


def test_everything_can_be_set_by_flags(tmp_path: Path) -> None:
    """Does each flag end in the field that it is meant for?"""
    password, auth = tmp_path / "password", tmp_path / "config.json"
    password.write_text("  s3cret\n")
    auth.write_text("{}")
    authorities = private_ca(tmp_path).ca
    found = load_settings(
        {
            "kubeconfig": "/home/me/config",
            "context": "kind",
            "namespace": ["a", "b"],
            "all_namespaces": False,
            "selector": "team=node",
            "cluster_namespace": "home",
            "store": "rediss://redis.example.com:6380/2",
            "store_password_file": str(password),
            "webhook_file": str(_hook(tmp_path)),
            "webhook_template": "{title}",
            "store_prefix": "other",
            "poll_interval": "500ms",
            "resync_interval": "2s",
            "settle": "0s",
            "probe_interval": "1s",
            "registry": ["docker.io=http://127.0.0.1:5000/", "ghcr.io=https://mirror.example.com"],
            "registry_auth": str(auth),
            "registry_ca": str(authorities),
            "node_url": "http://{pod_ip}:{port}",
            "dogstatsd": "udp://agent.example.com:8126",
            "listen": "[::1]:0",
            "page": "127.0.0.1:8081",
            "page_host": ["Tests.example.com", "b.example.com"],
            "max_open_runs": 3,
            "compare_url": "https://git.example.com/{good}..{bad}",
            "dry_run": True,
            "log_format": "JSON",
            "log_level": "Debug",
        },
        {},
    )
    assert found == Settings(
        cluster=ClusterSettings("/home/me/config", "kind", ("a", "b"), "team=node", "home"),
        store=StoreSettings("rediss://redis.example.com:6380/2", "s3cret", "other"),
        registry=RegistrySettings(
            0.5,
            Mirrors.parse(
                ["docker.io=http://127.0.0.1:5000/", "ghcr.io=https://mirror.example.com"]
            ),
            auth,
            authorities,
        ),
        node=NodeSettings(1.0, NodeUrl("http://{pod_ip}:{port}")),
        engine=EngineSettings(2.0, 0.0, 3, "https://git.example.com/{good}..{bad}", True),
        dogstatsd=DogStatsd(host="agent.example.com", port=8126),
        webhook=WebhookSettings(HOOK, "{title}"),
        listen=ListenSettings("::1", 0),
        page=PageSettings("127.0.0.1", 8081, ("tests.example.com", "b.example.com")),
        logs=LogSettings("json", "debug"),
    )


def test_everything_can_be_set_by_the_environment(tmp_path: Path) -> None:
    """Does each variable end in the field that it is meant for?"""
    password, auth = tmp_path / "password", tmp_path / "config.json"
    password.write_text("s3cret")
    auth.write_text("{}")
    found = load_settings(
        {},
        {
            "KUBECONFIG": "/one:/two",
            "BOOTSTRAP_NAMESPACES": "*",
            "BOOTSTRAP_SELECTOR": "team in (node, infra)",
            "BOOTSTRAP_CLUSTER_NAMESPACE": " home",
            "BOOTSTRAP_STORE": "redis://r:6379",
            "BOOTSTRAP_STORE_PASSWORD_FILE": str(password),
            "BOOTSTRAP_WEBHOOK_FILE": str(_hook(tmp_path)),
            "BOOTSTRAP_WEBHOOK_TEMPLATE": "{title}",
            "BOOTSTRAP_STORE_PREFIX": "other",
            "BOOTSTRAP_POLL_INTERVAL": "5s",
            "BOOTSTRAP_RESYNC_INTERVAL": "1m",
            "BOOTSTRAP_SETTLE": "90s",
            "BOOTSTRAP_PROBE_INTERVAL": "10s",
            "BOOTSTRAP_REGISTRIES": "docker.io=http://m:5000,localhost:5000=http://n:5000",
            "BOOTSTRAP_REGISTRY_AUTH": str(auth),
            "BOOTSTRAP_REGISTRY_CA": str(private_ca(tmp_path).ca),
            "BOOTSTRAP_NODE_URL": "http://proxy/{namespace}/{pod}",
            "BOOTSTRAP_DOGSTATSD": "unix:///var/run/datadog/dsd.socket",
            "BOOTSTRAP_LISTEN": "127.0.0.1:9090",
            "BOOTSTRAP_PAGE": "0.0.0.0:8081",
            "BOOTSTRAP_PAGE_HOSTS": "*",
            "BOOTSTRAP_MAX_OPEN_RUNS": "12",
            "BOOTSTRAP_COMPARE_URL": "off",
            "BOOTSTRAP_DRY_RUN": "1",
            "BOOTSTRAP_LOG_FORMAT": "text",
            "BOOTSTRAP_LOG_LEVEL": "warning",
        },
    )
    assert found == Settings(
        cluster=ClusterSettings("/one:/two", None, ("*",), "team in (node, infra)", "home"),
        store=StoreSettings("redis://r:6379", "s3cret", "other"),
        registry=RegistrySettings(
            5.0,
            Mirrors.parse(["docker.io=http://m:5000", "localhost:5000=http://n:5000"]),
            auth,
            tmp_path / "ca.crt",
        ),
        node=NodeSettings(10.0, NodeUrl("http://proxy/{namespace}/{pod}")),
        engine=EngineSettings(60.0, 90.0, 12, "", True),
        dogstatsd=DogStatsd(socket_path="/var/run/datadog/dsd.socket"),
        webhook=WebhookSettings(HOOK, "{title}"),
        listen=ListenSettings("127.0.0.1", 9090),
        page=PageSettings("0.0.0.0", 8081, ("*",)),
        logs=LogSettings("text", "warning"),
    )
    assert found.cluster.all_namespaces


def test_a_flag_wins_over_its_variable() -> None:
    """Is the flag believed where both are set, also where it says no or names a namespace?"""
    found = load_settings(
        {"settle": "1s", "dry_run": False, "namespace": ("mine",), "dogstatsd": "off"},
        {
            "BOOTSTRAP_SETTLE": "2s",
            "BOOTSTRAP_DRY_RUN": "true",
            "BOOTSTRAP_NAMESPACES": "*",
            "BOOTSTRAP_DOGSTATSD": "udp://agent:8125",
        },
    )
    assert found.engine == EngineSettings(300.0, 1.0, None, COMPARE_URL, False)
    assert found.cluster.namespaces == ("mine",)
    assert found.dogstatsd is None


def test_what_is_empty_or_none_counts_as_not_set() -> None:
    """Do empty variables (as manifests carry them) and unused flags leave the defaults alone?"""
    assert load_settings(
        {"settle": None, "namespace": [], "registry": ()},
        {"BOOTSTRAP_SETTLE": "", "BOOTSTRAP_STORE": "", "DD_AGENT_HOST": ""},
    ) == load_settings({}, {})


def test_all_faults_are_told_at_once_and_each_says_what_to_write() -> None:
    """Is a person told everything that is wrong in one go, with flag, variable and remedy?"""
    found = faults(
        {"poll_interval": "soon", "listen": "8080", "registry": ["mirror"], "max_open_runs": 0},
        {"BOOTSTRAP_SELECTOR": "a b", "BOOTSTRAP_LOG_LEVEL": "loud"},
    )
    assert sorted(found) == [
        "--listen (BOOTSTRAP_LISTEN) is '8080': write host:port, such as 127.0.0.1:8080,"
        " or [::]:8080 for every address",
        "--log-level (BOOTSTRAP_LOG_LEVEL) is 'loud': write debug, info, warning or error",
        "--max-open-runs (BOOTSTRAP_MAX_OPEN_RUNS) is '0': write a whole number from 1 to 999999",
        "--poll-interval (BOOTSTRAP_POLL_INTERVAL) is 'soon':"
        " write a duration such as 30s, 5m, 12h or 7d",
        "--registry (BOOTSTRAP_REGISTRIES) is 'mirror':"
        " write HOST=URL, such as docker.io=https://mirror.example.com",
        "--selector (BOOTSTRAP_SELECTOR) is 'a b': it is no label selector: write key=value,"
        " key!=value, key, !key or 'key in (a,b)', joined by commas",
    ]


@pytest.mark.parametrize(
    ("key", "text", "remedy"),
    [
        ("poll_interval", "4s", "write 5s or more, or name a registry of your own"),
        ("poll_interval", "2d", "from 100ms to 1d"),
        ("resync_interval", "0s", "from 100ms to 1d"),
        ("settle", "2h", "from 0s to 1h"),
        ("probe_interval", "6m", "from 100ms to 5m"),
        ("probe_interval", "30", "write a duration such as 30s"),
        ("max_open_runs", "1.5", "a whole number from 1"),
        ("dry_run", "maybe", "write true or false"),
        ("store_prefix", "a:*", "letters, digits"),
        ("cluster_namespace", "*", "is no namespace"),
        ("cluster_namespace", "a,b", "is no namespace"),
        ("context", " ", "it is empty"),
        ("listen", "::1:8080", "[::]:8080 for every address"),
        ("listen", "0.0.0.0:70000", "write host:port"),
        ("listen", ":8080", "write host:port"),
        ("listen", "http://0.0.0.0:80", "write host:port"),
        ("page_host", "", "it names none"),
        ("page_host", "*,a.example.com", "write * alone"),
        ("page_host", "https://a.example.com", "without scheme, port and path"),
        ("page_host", "a.example.com:443", "without scheme, port and path"),
        ("registry_auth", "/no/such/config.json", "there is no such file"),
        ("registry_ca", "/no/such/ca.crt", "it cannot be read (No such file or directory)"),
        ("registry_ca", "/etc/hostname", "it holds no certificate in PEM: name a file of"),
    ],
)
def test_values_outside_their_bounds_are_faults(key: str, text: str, remedy: str) -> None:
    """Is each bound kept, and told?"""
    assert remedy in only_fault({key: text})


def test_a_short_poll_interval_needs_a_registry_of_ones_own() -> None:
    """May the demo poll twice a second, and nobody a public registry?"""
    assert "--poll-interval" in only_fault({"poll_interval": "500ms"})
    found = load_settings({"poll_interval": "500ms", "registry": ["docker.io=http://h:5000"]}, {})
    assert found.registry.poll_interval == 0.5


@pytest.mark.parametrize(
    "content",
    [
        "",
        "s3cret",
        "http://hooks.example.com/s3cret",
        "https:///s3cret",
        "https://h:0/s3cret",
        "https://h/s3cret https://h/2",
        "https://h/s3cret\nhttps://h/2",
        "https://[::1/s3cret",
        "https://h/" + "s3cret" * 500,
    ],
)
def test_a_webhook_file_without_one_url_is_a_fault(tmp_path: Path, content: str) -> None:
    """Is a wrong file told at the start, without a word of what it holds?"""
    file = tmp_path / "webhook"
    file.write_text(content)
    fault = only_fault({"webhook_file": str(file)})
    assert fault.startswith("--webhook-file (BOOTSTRAP_WEBHOOK_FILE)")
    assert "write it into the file" in fault
    assert "s3cret" not in fault


def test_a_webhook_is_shown_nowhere(tmp_path: Path) -> None:
    """Do settings that are printed not tell the URL?"""
    assert "s3cret" not in repr(load_settings({"webhook_file": str(_hook(tmp_path))}, {}))


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 5000])
def test_a_password_file_without_a_password_is_a_fault(tmp_path: Path, content: bytes) -> None:
    """Is an empty or wrong file refused, and not taken for an empty password?"""
    file = tmp_path / "password"
    file.write_bytes(content)
    fault = only_fault({"store_password_file": str(file)})
    assert fault.startswith("--store-password-file (BOOTSTRAP_STORE_PASSWORD_FILE)")
    assert fault.endswith("name the file that holds the password")


def test_a_missing_password_file_is_a_fault(tmp_path: Path) -> None:
    """Is a file that is not there told, with the system's reason?"""
    assert "(No such file or directory)" in only_fault(
        {"store_password_file": str(tmp_path / "none")}
    )


def test_two_passwords_are_a_fault(tmp_path: Path) -> None:
    """If URL and file both hold a password, is neither guessed to be meant?"""
    file = tmp_path / "password"
    file.write_text("one")
    fault = only_fault({"store": "redis://u:two@h", "store_password_file": str(file)})
    assert "it holds a password, and so does --store-password-file" in fault


@pytest.mark.parametrize("url", ["redis://u:hunter2@h:99999", "redis//u:hunter2@h", "hunter2"])
def test_a_fault_of_the_store_never_repeats_its_password(url: str) -> None:
    """Is a URL that cannot be read kept out of the sentence about it?"""
    assert "hunter2" not in only_fault({"store": url})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("compare_url", "https://user:hunter2@git.example.com/{good}...{bad}"),
        ("registry", ["docker.io=http://user:hunter2@mirror.example.com"]),
    ],
)
def test_a_fault_of_a_url_never_repeats_its_password(key: str, value: object) -> None:
    """Is a user told to leave it out, and nobody shown what it was?"""
    with pytest.raises(SettingsFault) as caught:
        load_settings({key: value}, {})
    assert "user" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_no_repr_shows_a_password(tmp_path: Path) -> None:
    """Can settings be logged whole without giving a secret away?"""
    file = tmp_path / "password"
    file.write_text("hunter2")
    by_file = load_settings({"store": "redis://h", "store_password_file": str(file)}, {})
    by_url = load_settings({"store": "redis://u:hunter2@h"}, {})
    assert by_file.store.password == "hunter2"
    assert "hunter2" in by_url.store.url
    assert "hunter2" not in repr(by_file) + repr(by_url) + by_url.store.shown_url


def test_namespaces_and_all_of_them_exclude_each_other() -> None:
    """Is a person who writes -n and -A told, while -A still wins over the environment?"""
    assert "write one of the two" in only_fault({"namespace": ["a"], "all_namespaces": True})
    found = load_settings({"all_namespaces": True}, {"BOOTSTRAP_NAMESPACES": "a,b"})
    assert found.cluster.all_namespaces


def test_a_flag_that_is_no_setting_is_our_own_mistake() -> None:
    """Does the command line drifting from the table fail loudly, and not as a person's fault?"""
    with pytest.raises(TypeError, match="pol_interval"):
        load_settings({"pol_interval": "5s"}, {})
