"""Registry credentials: what is read from a docker config.json."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from controller.base.errors import Refused
from controller.registry.docker_config import Credential, CredentialFile


def auth(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "[]",
        '{"auths":{"r.example":{"auth":"hunter2"}}}',
        '{"auths":{"r.example":{"auth":"aHVudGVyMg=="}}}',
        '{"auths":{"r.example":{"password":{"hunter2":1}}}}',
    ],
)
def test_useless_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """Does a file that is no config.json lead to one sentence, with nothing of its content?"""
    with pytest.raises(Refused, match="is not a docker config") as caught:
        file_with(tmp_path, text).find("r.example", "a")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """Is a file that is not there an error, instead of anonymous access?"""
    with pytest.raises(Refused, match="cannot be read"):
        CredentialFile(tmp_path / "none").find("r.example", "a")


def test_no_file_is_anonymous() -> None:
    """Is nothing at all anonymous access?"""
    assert CredentialFile(None).find("r.example", "a") is None


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
