"""Credentials that expire: renewed in time, kept where that fails, and the reason told."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from controller.base.errors import Refused, Unavailable
from controller.kube.login.kubeconfig.credentials import KubeconfigCredentials, load_kubeconfig
from tests.kube_samples.clock import InstantClock

V1 = "client.authentication.k8s.io/v1"
EXPIRES = "2026-11-23T06:10:00Z"  # the clock begins at six
Lines = list[dict[str, Any]]


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


def written(path: Path, user: dict[str, Any]) -> str:
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://h"}}],
                "users": [{"name": "u", "user": user}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return str(path)


class Plugin:
    """A plugin that fails from its second run on, until it is mended."""

    def __init__(self, folder: Path) -> None:
        self._runs, self._good = folder / "runs", folder / "good"
        self._good.touch()
        self._script = folder / "plugin"
        status = f'{{"token": "run-%s", "expirationTimestamp": "{EXPIRES}"}}'
        answer = f'{{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {status}}}'
        self._script.write_text(
            f"#!/bin/sh\necho x >> {self._runs}\n"
            f"[ -e {self._good} ] || {{ echo the login service is away >&2; exit 3; }}\n"
            f"printf '{answer}' \"$(wc -l < {self._runs} | tr -d ' ')\"\n"
        )
        self._script.chmod(0o755)

    @property
    def user(self) -> dict[str, Any]:
        command = str(self._script)
        return {"exec": {"apiVersion": V1, "command": command, "interactiveMode": "Never"}}

    @property
    def runs(self) -> int:
        return self._runs.read_text().count("x")

    def break_it(self) -> None:
        self._good.unlink()

    def mend(self) -> None:
        self._good.touch()


async def loaded(path: str, clock: InstantClock) -> KubeconfigCredentials:
    return await load_kubeconfig(path, None, {"PATH": "/usr/bin:/bin"}, clock)


async def test_what_still_holds_is_kept_while_its_renewal_fails(
    tmp_path: Path, clock: InstantClock, lines: Lines
) -> None:
    """Is the plugin asked ever more seldom, is each failure logged with its reason, and is nothing
    sent that has expired?
    """
    plugin = Plugin(tmp_path)
    credentials = await loaded(written(tmp_path / "config", plugin.user), clock)
    plugin.break_it()
    clock.move(9.5 * 60)
    for wait, runs in ((0, 2), (0, 2), (19, 2), (2, 3)):
        clock.move(wait)
        assert await credentials.authorization() == "Bearer run-1"
        assert plugin.runs == runs
    assert [line["message"] for line in lines] == ["credentials were not renewed"] * 2
    assert "the login service is away" in lines[0]["bootstrap"]["why"]
    assert [line["bootstrap"]["retry_in_s"] for line in lines] == [20, 40]

    clock.move(20)
    with pytest.raises(Unavailable, match="the login service is away"):
        await credentials.authorization()
    assert plugin.runs == 3
    plugin.mend()
    clock.move(20)
    assert await credentials.authorization() == "Bearer run-4"


async def test_a_plugin_that_fails_for_hours_is_asked_each_five_minutes(
    tmp_path: Path, clock: InstantClock
) -> None:
    """Is a login service that is away left in peace, however many requests there are?"""
    plugin = Plugin(tmp_path)
    credentials = await loaded(written(tmp_path / "config", plugin.user), clock)
    plugin.break_it()
    clock.move(10 * 60)
    for _ in range(360):
        with pytest.raises(Unavailable):
            await credentials.authorization()
        clock.move(10)
    assert plugin.runs <= 1 + 5 + 12


async def test_a_kubeconfig_that_was_broken_meanwhile_is_for_a_person_to_mend(
    tmp_path: Path, clock: InstantClock
) -> None:
    """Does a running controller say what is wrong with it, and go on when it was mended?"""
    plugin = Plugin(tmp_path)
    path = written(tmp_path / "config", plugin.user)
    credentials = await loaded(path, clock)
    (tmp_path / "config").write_text("{")
    clock.move(11 * 60)
    with pytest.raises(Refused, match="config cannot be used"):
        await credentials.authorization()
    written(tmp_path / "config", plugin.user)
    clock.move(21)
    assert await credentials.authorization() == "Bearer run-2"


def id_token(expires: int) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'exp': expires})}.c2ln"


def oidc(token: str) -> dict[str, Any]:
    config = {"idp-issuer-url": "https://i", "client-id": "k", "id-token": token}
    return {"auth-provider": {"name": "oidc", "config": config}}


async def test_an_id_token_is_sent_until_it_expires_and_read_again_when_kubectl_renewed_it(
    tmp_path: Path, clock: InstantClock
) -> None:
    """Is the refresh token left to kubectl, which may use it once?"""
    at = int(clock.now().timestamp())
    path = written(tmp_path / "config", oidc(id_token(at + 600)))
    credentials = await loaded(path, clock)
    assert await credentials.authorization() == f"Bearer {id_token(at + 600)}"
    clock.move(601)
    with pytest.raises(
        Unavailable, match="expired at 2026-11-23 06:10 UTC: any command of kubectl"
    ):
        await credentials.authorization()
    written(tmp_path / "config", oidc(id_token(at + 9000)))
    clock.move(11)
    assert await credentials.authorization() == f"Bearer {id_token(at + 9000)}"


async def test_an_id_token_that_had_expired_before_is_not_sent(
    tmp_path: Path, clock: InstantClock
) -> None:
    """Is the reason told, and not a 401?"""
    at = int(clock.now().timestamp())
    credentials = await loaded(written(tmp_path / "config", oidc(id_token(at - 60))), clock)
    with pytest.raises(Unavailable, match="expired at 2026-11-23 05:59 UTC"):
        await credentials.authorization()
