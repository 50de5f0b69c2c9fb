"""Runs a credential plugin: what it is told, what it answers, and that nothing of it stays behind.

As client-go runs it [K client-go/plugin/pkg/client/auth/exec/exec.go], but for two things: it never
gets our terminal, for whoever runs for weeks has none; and it has a time limit, after which it ends
with all that it started.
"""

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from controller.base.clock import Clock
from controller.base.errors import SettingsFault, Unavailable
from controller.base.text import shown
from controller.kube.login.kubeconfig.chosen import Chosen, decoded
from controller.kube.login.kubeconfig.documents import Unreadable, read_document
from controller.kube.login.kubeconfig.stanzas import (
    CredentialStatus,
    ExecCredential,
    ExecPlugin,
)

# A plugin may ask a cloud's login service; a plugin that waits for a person would wait for ever.
PLUGIN_SECONDS = 60.0
LAST_SECONDS = 5.0  # for the rest of its output, once it was ended
LARGEST_ANSWER = 1024 * 1024  # bytes; a token or two certificates are some kilobytes
SHOWN_STDERR = 4096  # bytes of its last words that are looked at

# The name of what a cluster says for its plugin.
_FOR_PLUGINS = "client.authentication.k8s.io/exec"


@dataclass(frozen=True)
class Surrounding:
    """What a plugin runs in."""

    environ: Mapping[str, str]
    clock: Clock
    seconds: float = PLUGIN_SECONDS


async def ask_plugin(plugin: ExecPlugin, chosen: Chosen, around: Surrounding) -> CredentialStatus:
    """Who we are. Raises SettingsFault where there is no such program, and Unavailable where it
    failed; both with what it or its hint says.
    """
    name = shown(plugin.command)
    if plugin.interactive_mode == "Always":
        raise SettingsFault(
            [
                f"the credential plugin {name} wants a person (interactiveMode: Always): use a"
                " kubeconfig whose plugin needs none"
            ]
        )
    program = _found(plugin, around.environ)
    with tempfile.TemporaryFile() as stderr:
        code, answer = await _run(program, plugin, chosen, around, stderr)
        if code != 0:
            said = _last_words(stderr)
            ended = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
            raise Unavailable(f"the credential plugin {name} {ended}{said}")
    try:
        return _status(answer, plugin)
    except Unreadable as fault:
        raise Unavailable(
            f"the credential plugin {name} does not answer as one: {shown(fault)}"
        ) from None


def _found(plugin: ExecPlugin, environ: Mapping[str, str]) -> str:
    command = plugin.command or ""
    if "/" in command:
        if os.access(command, os.X_OK) and Path(command).is_file():
            return command
        why = "cannot be run" if Path(command).exists() else "is not there"
    else:
        found = shutil.which(command, path=environ.get("PATH", ""))
        if found is not None and os.path.isabs(found):  # `.` in PATH is not believed
            return found
        why = "is not installed"
    hint = f": {shown(plugin.install_hint, 600)}" if plugin.install_hint else ""
    raise SettingsFault([f"the credential plugin {shown(command)} {why}{hint}"])


async def _run(
    program: str, plugin: ExecPlugin, chosen: Chosen, around: Surrounding, stderr: IO[bytes]
) -> tuple[int, bytes]:
    """Its exit code, below zero for a signal, and what it wrote."""
    environ = dict(around.environ)
    environ |= {each.name or "": each.value or "" for each in plugin.env or ()}
    environ["KUBERNETES_EXEC_INFO"] = orjson.dumps(exec_info(plugin, chosen)).decode()
    name = shown(plugin.command)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *(plugin.args or ()),
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # a group of its own, which is ended as one
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingsFault([f"the credential plugin {name} cannot be run: {shown(why)}"]) from None
    try:
        return await around.clock.within(around.seconds, _finished(process, name))
    except TimeoutError:
        said = _last_words(stderr)
        raise Unavailable(
            f"the credential plugin {name} was ended after {around.seconds:g} seconds{said}"
        ) from None
    finally:
        await _end(process, around.clock)


async def _finished(process: asyncio.subprocess.Process, name: str) -> tuple[int, bytes]:
    assert process.stdout is not None
    answer = b""
    while part := await process.stdout.read(65536):
        answer += part
        if len(answer) > LARGEST_ANSWER:
            raise Unavailable(
                f"the credential plugin {name} wrote more than {LARGEST_ANSWER} bytes"
            )
    return await process.wait(), answer


async def _end(process: asyncio.subprocess.Process, clock: Clock) -> None:
    """Of one that ended by itself nothing is ended: it may have left an agent, as some do."""
    output = process.stdout
    if output is None or (process.returncode is not None and output.at_eof()):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Its output ends with its group, unless one of them has left that.
    with contextlib.suppress(TimeoutError):
        await clock.within(LAST_SECONDS, _drained(output))
        await process.wait()


async def _drained(output: asyncio.StreamReader) -> None:
    while await output.read(65536):
        pass


def _last_words(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - SHOWN_STDERR))
    said = shown(stderr.read(SHOWN_STDERR).decode(errors="replace").strip(), 400)
    return f": {said}" if said else ""


def exec_info(plugin: ExecPlugin, chosen: Chosen) -> dict[str, Any]:
    """What a plugin is told in KUBERNETES_EXEC_INFO."""
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(chosen)
    return {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}


def _cluster_info(chosen: Chosen) -> dict[str, Any]:
    cluster = chosen.cluster
    authority = decoded(cluster.certificate_authority_data, "certificate-authority")
    if cluster.certificate_authority:
        authority = Path(cluster.certificate_authority).read_bytes()
    extensions = {each.name: each.extension for each in cluster.extensions or ()}
    told = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authority).decode(),
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
    }
    config = extensions.get(_FOR_PLUGINS)  # which stands there even where it is nothing
    return {key: value for key, value in told.items() if value} | {"config": config}


def _status(answer: bytes, plugin: ExecPlugin) -> CredentialStatus:
    """Raises Unreadable, a clause without what was written."""
    credential = read_document(answer, ExecCredential)
    if credential is None or credential.kind != "ExecCredential":
        raise Unreadable("it wrote no ExecCredential")
    if credential.api_version != plugin.api_version:
        raise Unreadable(
            f"it wrote the apiVersion {shown(credential.api_version)}, "
            f"and {plugin.api_version} was asked for"
        )
    status = credential.status
    if status is None:
        raise Unreadable("it wrote no status")
    if bool(status.client_certificate_data) != bool(status.client_key_data):
        raise Unreadable("it wrote only one of certificate and key")
    if not status.token and not status.client_certificate_data:
        raise Unreadable("it wrote neither a token nor a certificate")
    return status
