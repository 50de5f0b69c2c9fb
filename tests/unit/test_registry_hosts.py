"""Hosts: at which URL a registry is asked."""

import pytest
from yarl import URL

from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.hosts import Hosts, is_loopback, same_origin

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("registry", "base", "host"),
    [
        ("docker.io", "https://registry-1.docker.io", "docker.io"),
        ("ghcr.io", "https://ghcr.io", "ghcr.io"),
        ("registry.example:5000", "https://registry.example:5000", "registry.example:5000"),
        ("localhost", "http://localhost", "localhost"),
        ("localhost:5000", "http://localhost:5000", "localhost:5000"),
        ("127.0.0.9:5000", "http://127.0.0.9:5000", "127.0.0.9:5000"),
        ("[::1]:5000", "http://[::1]:5000", "[::1]:5000"),
        ("localhost.example.com", "https://localhost.example.com", "localhost.example.com"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000", "10.0.0.1:5000"),
    ],
)
def test_https_unless_on_this_machine(registry: str, base: str, host: str) -> None:
    """Is HTTPS spoken with every registry but those on the loopback?"""
    endpoint = Hosts(Mirrors()).endpoint(registry)

    assert (endpoint.base, endpoint.host) == (URL(base), host)


@pytest.mark.parametrize("written", ["docker.io", "index.docker.io", "Docker.IO"])
def test_mirror(written: str) -> None:
    """Is a mirror asked instead, under whichever name of the registry it was given?"""
    endpoint = Hosts(Mirrors.parse([f"{written}=http://mirror.example:8080/hub/"])).endpoint(
        "docker.io"
    )

    assert endpoint.host == "mirror.example:8080"
    assert endpoint.manifest(Repository("docker.io", "a/b"), DIGEST) == URL(
        f"http://mirror.example:8080/hub/v2/a/b/manifests/{DIGEST}"
    )


@pytest.mark.parametrize(
    ("path", "manifests", "named"),
    [
        ("", "/v2/a/b", "m.example"),
        ("/", "/v2/a/b", "m.example"),
        ("/v2", "/v2/a/b", "m.example"),
        ("/v2/", "/v2/a/b", "m.example"),
        ("/hub", "/hub/v2/a/b", "m.example"),
        ("/hub//x/../v2/", "/hub/v2/a/b", "m.example"),
        ("/v2/hub-cache", "/v2/hub-cache/a/b", "m.example/hub-cache/a/b"),
        ("/v2/team/cache/", "/v2/team/cache/a/b", "m.example/team/cache/a/b"),
        ("/harbor/v2/cache", "/harbor/v2/cache/a/b", "m.example/cache/a/b"),
        ("/v2x", "/v2x/v2/a/b", "m.example"),
        ("/a%20b", "/a%20b/v2/a/b", "m.example"),
    ],
)
def test_mirror_below_a_path(path: str, manifests: str, named: str) -> None:
    """Is a path with `/v2` in it taken as containerd's override_path takes it, and else `/v2`
    appended; and does a sentence say where that was?
    """
    hosts = Hosts(Mirrors.parse([f"docker.io=https://m.example{path}"]))
    repository, endpoint = Repository("docker.io", "a/b"), hosts.endpoint("docker.io")

    assert str(endpoint.manifest(repository, "v1")) == f"https://m.example{manifests}/manifests/v1"
    assert endpoint.blob(repository, DIGEST).raw_path == f"{manifests}/blobs/{DIGEST}"
    assert endpoint.about(repository) == f"docker.io/a/b (asked at {named})"


def test_the_registry_itself_is_not_said_twice() -> None:
    """Is where it was asked left out where that is where the name says?"""
    repository = Repository("ghcr.io", "a/b")

    assert Hosts(Mirrors()).endpoint("ghcr.io").about(repository) == "ghcr.io/a/b"


def test_manifest_url() -> None:
    """Is the URL of a manifest the one that the distribution specification names?"""
    url = Hosts(Mirrors()).endpoint("docker.io").manifest(Repository("docker.io", "a/b"), "v1.0")

    assert str(url) == "https://registry-1.docker.io/v2/a/b/manifests/v1.0"


def test_blob_url() -> None:
    """Is a blob asked for below the same repository, at a mirror too?"""
    hosts = Hosts(Mirrors.parse(["ghcr.io=http://mirror.example/ghcr/"]))
    url = hosts.endpoint("ghcr.io").blob(Repository("ghcr.io", "a/b"), DIGEST)

    assert str(url) == f"http://mirror.example/ghcr/v2/a/b/blobs/{DIGEST}"


@pytest.mark.parametrize(
    ("registry", "mirrors", "base"),
    [
        ("docker.io", [], "https://hub.docker.com"),
        ("docker.io", ["ghcr.io=http://m.example"], "https://hub.docker.com"),
        ("docker.io", ["docker.io=http://m.example"], None),
        ("docker.io", ["index.docker.io=http://m.example"], None),
        ("docker.io", ["hub.docker.com=http://h.example/x"], "http://h.example/x"),
        (
            "docker.io",
            ["docker.io=http://m.example", "Hub.docker.com=http://h.example"],
            "http://h.example",
        ),
        ("ghcr.io", [], None),
        ("ghcr.io", ["hub.docker.com=http://h.example"], None),
    ],
)
def test_hub_api(registry: str, mirrors: list[str], base: str | None) -> None:
    """Is Docker Hub asked for tags only of what it keeps, and not behind the back of a mirror?"""
    endpoint = Hosts(Mirrors.parse(mirrors)).hub_api(registry)

    assert (endpoint and endpoint.base) == (base and URL(base))


def test_loopback() -> None:
    """Is only what cannot leave the machine taken for the loopback?"""
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, (None, "", "127.example", "10.0.0.1", "localhost.example")))


def test_origin() -> None:
    """Do scheme, host and port all count, and a default port that is written out not?"""
    url = URL("https://a.example/x")

    assert same_origin(url, URL("https://a.example:443/y"))
    for other in ("http://a.example", "https://b.example", "https://a.example:444"):
        assert not same_origin(url, URL(other))
