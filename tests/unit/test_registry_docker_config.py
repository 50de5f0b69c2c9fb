"""Registry credentials: what is read from a docker config.json."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from controller.base.errors import Refused
from controller.registry.docker_config import Credential, CredentialFile


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def auth(user: str, password: str) -> str:
    return b64(f"{user}:{password}".encode())


def file_with(path: Path, text: str) -> CredentialFile:
    target = path / "config.json"
    target.write_text(text)
    return CredentialFile(target)


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="WARNING")
    yield lines
    logger.remove(sink)


@pytest.mark.parametrize(
    "key",
    [
        "https://index.docker.io/v1/",
        "index.docker.io",
        "docker.io",
        "registry-1.docker.io",
        "https://registry-1.docker.io/v2/",
        "http://Docker.io",
    ],
)
def test_names_of_docker_hub(tmp_path: Path, key: str) -> None:
    """Is Docker Hub found under each name that tools write for it?"""
    file = file_with(tmp_path, f'{{"auths":{{"{key}":{{"auth":"{auth("u", "p:w")}"}}}}}}')

    assert file.find("docker.io", "a/b") == Credential(1, "u", "p:w")
    assert file.find("ghcr.io", "a/b") is None


def test_the_three_ways_to_write_a_login(tmp_path: Path) -> None:
    """Are auth, user with password, and an identity token each understood?"""
    file = file_with(
        tmp_path,
        f"""{{"auths": {{"one.example": {{"auth": "{auth("u", "p")}"}},
        "two.example:5000": {{"username": "u", "password": "p"}},
        "three.example": {{"auth": "{auth("<token>", "")}", "identitytoken": "it"}},
        "four.example": {{}}}}, "HttpHeaders": {{}}}}""",
    )

    assert file.find("one.example", "a") == Credential(1, "u", "p")
    assert file.find("two.example:5000", "a") == Credential(1, "u", "p")
    assert file.find("two.example", "a") is None
    assert file.find("three.example", "a") == Credential(1, "<token>", "", "it")
    assert file.find("four.example", "a") is None


def test_longest_part_of_the_name_wins(tmp_path: Path) -> None:
    """Are credentials of a part of a registry used there, and nowhere else?"""
    file = file_with(
        tmp_path,
        '{"auths":{"r.example/team":{"username":"team"},"r.example/team/x":{"username":"x"}}}',
    )

    assert file.find("r.example", "team/x") == Credential(1, "x")
    assert file.find("r.example", "team/y") == Credential(1, "team")
    assert file.find("r.example", "teams/y") is None


def test_read_again_when_it_changes(tmp_path: Path) -> None:
    """Is a rotated file read again, and one that stays the same read once?"""
    file = file_with(tmp_path, '{"auths":{"r.example":{"username":"old"}}}')
    assert file.find("r.example", "a") == Credential(1, "old")
    assert file.find("r.example", "a") == Credential(1, "old")

    replacement = tmp_path / "new"
    replacement.write_text('{"auths":{"r.example":{"username":"new"}}}')
    os.replace(replacement, tmp_path / "config.json")
    assert file.find("r.example", "a") == Credential(2, "new")


@pytest.mark.parametrize("text", ["", "hunter2", "[]", '{"auths":["hunter2"]}', '"hunter2"'])
def test_useless_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """Does a file that is no config.json lead to one sentence, with nothing of its content?"""
    with pytest.raises(Refused, match="is not a docker config") as caught:
        file_with(tmp_path, text).find("r.example", "a")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ('{"auth":"hunter2"}', "its auth is not the base64 of user:password"),
        ('{"auth":"aHVudGVyMg=="}', "its auth is not the base64 of user:password"),
        ('{"auth":"!hunter2"}', "its auth is not the base64 of user:password"),
        ('{"password":{"hunter2":1}}', "is no text"),
        ('{"auth":["hunter2"]}', "is no text"),
        ('"hunter2"', "it is no object"),
        ('{"registrytoken":"hunter2"}', "registrytoken alone"),
    ],
)
def test_a_bad_entry_spoils_only_its_own_registry(
    tmp_path: Path, warnings: list[str], entry: str, why: str
) -> None:
    """Is it named where its registry is asked, without its content, and in the way of no other?"""
    good = f'{{"auth":"{auth("u", "p")}"}}'
    file = file_with(tmp_path, f'{{"auths":{{"r.example":{entry},"s.example":{good}}}}}')

    assert file.find("s.example", "a") == Credential(1, "u", "p")
    assert file.find("t.example", "a") is None
    with pytest.raises(Refused, match=r"the entry 'r\.example' in .* cannot be used") as caught:
        file.find("r.example", "a")
    assert why in str(caught.value)
    assert "hunter2" not in f"{caught.value}{warnings}"
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("entry", "user", "password"),
    [
        ({"auth": b64(b"u:p")}, "u", "p"),
        ({"auth": b64(b"user:pass").rstrip("=")}, "user", "pass"),  # as the kubelet takes it
        ({"auth": b64(b"u:pp")[:3] + "\n" + b64(b"u:pp")[3:] + "\n"}, "u", "pp"),
        ({"auth": b64(b"u:a:b:c")}, "u", "a:b:c"),
        ({"auth": b64(b"u:p\0\0")}, "u", "p"),  # as docker takes it
        ({"auth": b64(b"u:p\n")}, "u", "p\n"),
        ({"auth": b64(b":p")}, "", "p"),
        ({"auth": b64(b"u:p"), "username": "v", "password": "q", "email": None}, "u", "p"),
        ({"auth": "", "username": "u", "password": "p"}, "u", "p"),
        ({"auth": None, "username": "u", "password": "p", "email": 5}, "u", "p"),
        ({"Auth": b64(b"u:p")}, "u", "p"),
        ({"username": "u"}, "u", ""),
    ],
)
def test_how_a_login_is_written(
    tmp_path: Path, entry: dict[str, object], user: str, password: str
) -> None:
    """Is each form read as docker or the kubelet reads it?"""
    file = file_with(tmp_path, json.dumps({"auths": {"r.example": entry}}))

    assert file.find("r.example", "a") == Credential(1, user, password)


def test_the_bytes_of_a_login_stay_as_they_are(tmp_path: Path) -> None:
    """Is a password that is no UTF-8 sent as it was written?"""
    written = b64(b"u:\xff\xfe")
    file = file_with(tmp_path, json.dumps({"auths": {"r.example": {"auth": written}}}))
    found = file.find("r.example", "a")

    assert found is not None
    assert found.basic() == f"Basic {written}"


@pytest.mark.parametrize("junk", ["!", b64(b"no colon"), b64(b"<token>:"), "", None])
def test_an_identity_token_needs_nothing_beside_it(tmp_path: Path, junk: str | None) -> None:
    """Is it used whatever stands as user and password?"""
    entry = {"auth": junk, "identitytoken": "it"}
    found = file_with(tmp_path, json.dumps({"auths": {"r.example": entry}})).find("r.example", "a")

    assert found is not None
    assert found.identity_token == "it"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"auths":null}',
        '{"auths":{}}',
        '{"auths":{"r.example":null}}',
        '{"auths":{"r.example":{}}}',
        '{"auths":{"r.example":{"auth":null}}}',
        '{"auths":{"r.example":{"email":"a@b.example"}}}',
        '{"HttpHeaders":{"User-Agent":"x"},"proxies":{"default":{"httpProxy":"http://p"}}}',
    ],
)
def test_a_file_with_nothing_for_the_host(tmp_path: Path, text: str) -> None:
    """Is it anonymous access, and is it said that the file was there and had nothing?"""
    file = file_with(tmp_path, text)

    assert file.find("r.example", "team/x") is None
    assert file.absence("r.example", "team/x") == (
        f"{tmp_path}/config.json has no login for r.example/team/x"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"auths":{"r.example":{}},"credsStore":"desktop"}',
        '{"auths":null,"credsStore":"desktop"}',
        '{"auths":{"r.example":{}},"credsStore":"x","credHelpers":{"r.example":"desktop"}}',
    ],
)
def test_a_login_that_a_credential_helper_has(tmp_path: Path, text: str) -> None:
    """Is it said where the login is, and what to do, since no such program is run?"""
    file = file_with(tmp_path, text)

    assert file.find("r.example", "a") is None
    assert file.absence("r.example", "a").endswith(
        "/config.json leaves r.example to docker-credential-desktop, and no such program is run"
        " here: write the login itself under auths"
    )


def test_a_login_beside_a_credential_helper(tmp_path: Path) -> None:
    """Is what stands in the file used all the same?"""
    text = '{"credsStore":"desktop","auths":{"r.example":{"username":"u"},"s.example":{}}}'

    assert file_with(tmp_path, text).find("r.example", "a") == Credential(1, "u")


def test_the_old_form(tmp_path: Path) -> None:
    """Is a .dockercfg read, whose hosts stand at the root, as a Secret of the older type has it?"""
    entry = {"username": "u", "password": "p", "email": "e", "auth": b64(b"u:p")}
    text = json.dumps({"https://index.docker.io/v1/": entry, "r.example": {"auth": "!"}})
    file = file_with(tmp_path, text)

    assert file.find("docker.io", "a/b") == Credential(1, "u", "p")
    with pytest.raises(Refused, match="cannot be used"):
        file.find("r.example", "a")


@pytest.mark.parametrize(
    ("key", "host", "path", "matches"),
    [
        # the examples of the kubelet's own tests, and what people write
        ("r.example", "r.example", "a", True),
        ("R.Example", "r.example", "a", True),
        ("https://r.example", "r.example", "a", True),
        ("http://r.example/", "r.example", "a", True),
        ("https://r.example/v2/", "r.example", "a", True),
        ("https://r.example/v1", "r.example", "a", True),
        ("r.example/", "r.example", "a", True),
        (" r.example ", "r.example", "a", True),
        ("r.example", "r.example:5000", "a", False),
        ("r.example:5000", "r.example:5000", "a", True),
        ("r.example:5000", "r.example", "a", False),
        ("*.example", "r.example", "a", True),
        ("*.example", "s.r.example", "a", False),
        ("*.example", "example", "a", False),
        ("*.example:5000", "r.example:5000", "a", True),
        ("*.example:5000", "r.example", "a", False),
        ("*.example/team", "r.example", "team/x", True),
        ("*.example/team", "r.example", "other/x", False),
        ("r*.?xample", "reg.example", "a", True),
        ("*", "localhost", "a", True),
        ("*", "r.example", "a", False),
        ("r.example/team", "r.example", "team/x", True),
        ("r.example/team/", "r.example", "team", True),
        ("r.example/team", "r.example", "teams/x", False),
        ("https://r.example/v2/team", "r.example", "team/x", True),
        ("https://r.example/v3/team", "r.example", "team/x", False),
        ("[::1]:5000", "[::1]:5000", "a", True),
        ("[::1]", "[::1]:5000", "a", False),
        ("*.docker.io", "docker.io", "a/b", False),
        ("ftp://r.example", "r.example", "a", False),
        ("https://", "r.example", "a", False),
        ("", "r.example", "a", False),
    ],
)
def test_which_entry_is_for_what(
    tmp_path: Path, key: str, host: str, path: str, matches: bool
) -> None:
    """Does an entry fit what the kubelet would use it for?"""
    file = file_with(tmp_path, json.dumps({"auths": {key: {"username": "u"}}}))

    assert (file.find(host, path) is not None) is matches


def test_the_entry_that_fits_best(tmp_path: Path) -> None:
    """Do hosts come before patterns, longer paths before shorter, and what can be used first?"""
    users = {
        "*.example": {"username": "pattern"},
        "*.example/team": {"username": "pattern and path"},
        "r.example/team/x": {"username": "longest"},
        "r.example/team": {"auth": "!"},
        "https://r.example/v1/": {"auth": "!"},
        "r.example": {"username": "host"},
        "docker.io": {"username": "hub"},
        "https://index.docker.io/v1/": {"username": "as docker writes it"},
    }
    file = file_with(tmp_path, json.dumps({"auths": users}))

    assert file.find("r.example", "team/x/y") == Credential(1, "longest")
    assert file.find("r.example", "other") == Credential(1, "host")
    assert file.find("s.example", "team/x") == Credential(1, "pattern and path")
    assert file.find("s.example", "teams") == Credential(1, "pattern")
    assert file.find("docker.io", "a/b") == Credential(1, "as docker writes it")
    with pytest.raises(Refused, match=r"the entry 'r\.example/team'"):
        file.find("r.example", "team/y")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """Is a file that is not there an error, instead of anonymous access?"""
    with pytest.raises(Refused, match="cannot be read"):
        CredentialFile(tmp_path / "none").find("r.example", "a")


def test_no_file_is_anonymous() -> None:
    """Is nothing at all anonymous access?"""
    assert CredentialFile(None).find("r.example", "a") is None
    assert (
        CredentialFile(None).absence("r.example", "a") == "--registry-auth names no file of logins"
    )


def test_a_secret_that_the_kubelet_swaps_is_read_again(tmp_path: Path) -> None:
    """Is a mounted Secret, whose files lie behind two links, read again after the links moved?"""
    for name in ("..one", "..two"):
        (tmp_path / name).mkdir()
        text = json.dumps({"auths": {"r.example": {"username": name}}})
        (tmp_path / name / "config.json").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "config.json").symlink_to("..data/config.json")
    file = CredentialFile(tmp_path / "config.json")
    assert file.find("r.example", "a") == Credential(1, "..one")

    (tmp_path / "..fresh").symlink_to("..two")
    os.replace(tmp_path / "..fresh", tmp_path / "..data")
    assert file.find("r.example", "a") == Credential(2, "..two")


def test_helpers_are_named_as_unsupported(tmp_path: Path, warnings: list[str]) -> None:
    """Is a person warned, once, that credential helpers are not run?"""
    file = file_with(tmp_path, '{"credsStore":"desktop","auths":{"r.example":{"username":"u"}}}')
    file.find("r.example", "a")
    file.find("r.example", "a")

    assert len(warnings) == 1
    assert "helpers are not supported" in warnings[0]


def test_secrets_are_not_shown() -> None:
    """Does the repr of a credential, which ends up in traces, keep all of it?"""
    assert repr(Credential(3, "user", "hush", "hush")) == "Credential(version=3)"
