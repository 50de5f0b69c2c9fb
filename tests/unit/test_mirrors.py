"""One reading of `--registry HOST=URL`, for the settings and for the client that asks there.

What the settings take, the client asks as it stands; what it could not ask, the settings refuse in
one sentence that says what to write instead. Some of these were taken by the settings once and
ended the controller after it had gained its Lease, or lost one of two mirrors without a word.
"""

import pytest

from controller.base.errors import SettingsFault
from controller.domain.mirrors import Mirrors
from controller.domain.reference import Repository
from controller.registry.hosts import Hosts
from controller.settings.settings import load_settings


@pytest.mark.parametrize(
    ("written", "registry", "asked"),
    [
        ("docker.io=http://h", "docker.io", "http://h"),
        ("index.docker.io=http://h", "docker.io", "http://h"),
        ("registry-1.docker.io=http://h", "docker.io", "http://h"),
        ("Docker.IO=HTTP://h", "docker.io", "http://h"),
        ("MyRegistry=http://h", "MyRegistry", "http://h"),
        ("localhost=http://h", "localhost", "http://h"),
        ("localhost:5000=https://h:6000/hub/", "localhost:5000", "https://h:6000/hub"),
        ("[::1]:5000=http://[::2]:1", "[::1]:5000", "http://[::2]:1"),
        (" ghcr.io = http://h ", "ghcr.io", "http://h"),
        ("a.b=http://h=i/@x", "a.b", "http://h=i/@x"),
        ("a.b=http://bücher.example", "a.b", "http://xn--bcher-kva.example"),
    ],
)
def test_what_the_settings_take_is_asked_as_it_stands(
    written: str, registry: str, asked: str
) -> None:
    """Does a mirror stand for its registry under each of the names that it has?"""
    hosts = Hosts(load_settings({"registry": [written]}, {}).registry.mirrors)
    url = hosts.endpoint(registry).manifest(Repository("a.b", "team/node"), "v1")

    assert str(url) == f"{asked}/v2/team/node/manifests/v1"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("docker.io", "write HOST=URL"),
        ("=http://h", "write HOST=URL"),
        ("docker.io=", "write HOST=URL"),
        ("myregistry=http://h", "'myregistry' is not how an image names a registry"),
        ("a..b=http://h", "is not how an image names a registry"),
        ("-a.b=http://h", "is not how an image names a registry"),
        ("a.b.=http://h", "is not how an image names a registry"),
        ("a.b:=http://h", "is not how an image names a registry"),
        ("docker.io/library=http://h", "is not how an image names a registry"),
        ("docker.io=h:5000", "it is not http:// or https://"),
        ("docker.io=ftp://h", "it is not http:// or https://"),
        ("docker.io=http:h", "it is not http:// or https://"),
        ("docker.io=http://", "it names no host"),
        ("docker.io=http:///h", "it names no host"),
        ("docker.io=http://h:99999", "it is no URL"),
        ("docker.io=http://[", "it is no URL"),
        ("docker.io=http://h\\x", "a backslash"),
        ("docker.io=http://h i", "it holds a space"),
        ("docker.io=http://h\tx", "it holds a space"),
        ("docker.io=http://h\x00", "a character that cannot be seen"),
        ("docker.io=http://h?x=1", "a query or a fragment"),
        ("docker.io=http://h?", "a query or a fragment"),
        ("docker.io=http://h#", "a query or a fragment"),
        ("docker.io=http://u:hunter2@h", "write that in the file of --registry-auth"),
        ("docker.io=http://hunter2@h", "write that in the file of --registry-auth"),
        ("docker.io=http://@h", "write that in the file of --registry-auth"),
        ("docker.io=http://h/v2/Team", "what follows /v2 in its path is no name of a repository"),
        ("docker.io=http://h/v2/a%20b", "what follows /v2 in its path is no name of a repository"),
        ("a.b=http://h,a.b=http://i", "a.b stands twice"),
        ("docker.io=http://h,index.docker.io=http://i", "are one registry"),
        ("ghcr.io=http://h,GHCR.io=http://i", "are one registry"),
    ],
)
def test_what_could_not_be_asked_is_refused_by_the_settings(written: str, why: str) -> None:
    """Is every slip found at the start, told with a remedy, and no password repeated?"""
    with pytest.raises(SettingsFault) as caught:
        load_settings({}, {"BOOTSTRAP_REGISTRIES": written})

    (fault,) = caught.value.faults
    assert fault.startswith("--registry (BOOTSTRAP_REGISTRIES)")
    assert why in fault
    assert "write" in fault
    assert "hunter2" not in fault
    assert fault.isprintable()


def test_every_mirror_that_cannot_be_used_is_named() -> None:
    """Is a person who wrote three wrong ones told of three?"""
    with pytest.raises(ValueError, match=r"a\.b .*; .*'c' .*; .*d\.e ") as caught:
        Mirrors.parse(["a.b=ftp://h", "c=http://h", "ok.example=http://h", "d.e=http://u:p@h"])

    assert "ok.example" not in str(caught.value)
