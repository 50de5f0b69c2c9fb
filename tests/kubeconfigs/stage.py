"""Servers that note who asks, and kubeconfigs that lead to them."""

import base64
import os
import ssl
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.kube_samples.certificates import ClusterFiles
from tests.kubeconfigs.row import Asked, Row


@dataclass
class Stage:
    """asked: what the servers were asked, oldest first."""

    folder: Path
    marks: dict[str, str]
    asked: list[Asked] = field(default_factory=list)

    def filled(self, text: str) -> str:
        for mark, value in self.marks.items():
            text = text.replace(f"@{mark}@", value)
        return text

    def lay(self, row: Row) -> dict[str, str]:
        """Writes the row's files; returns the environment that goes with them."""
        for name, content in row.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_filled(self, content))
            path.chmod(0o755 if "plugin" in name else 0o600 if row.as_root else 0)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        if row.kubeconfig is not None:
            environ["KUBECONFIG"] = self.filled(row.kubeconfig)
        return environ | {name: self.filled(value) for name, value in row.environ.items()}

    def flag(self, row: Row, name: str) -> str | None:
        """Its value in the row; None where it is not given."""
        given = [flag for flag in row.flags if flag.startswith(f"--{name}=")]
        return self.filled(given[0].partition("=")[2]) if given else None


def _filled(stage: Stage, content: str | bytes) -> bytes:
    if isinstance(content, str):
        return stage.filled(content).encode()
    code = "utf-16" if content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "latin-1"
    return stage.filled(content.decode(code)).encode(code)


@asynccontextmanager
async def listening(folder: Path, files: ClusterFiles) -> AsyncIterator[Stage]:
    stage = Stage(folder, _marks(folder, files))
    names: list[str] = []
    ports: dict[int, str] = {}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        stage.asked.append(_seen(request, ports, names))
        return web.json_response({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    try:
        for name in ("A", "B", "PLAIN"):
            context = None if name == "PLAIN" else _context(files, names)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            port = runner.addresses[-1][1]
            ports[port] = name
            stage.marks[name] = f"http{'s' if context else ''}://127.0.0.1:{port}"
        yield stage
    finally:
        await runner.cleanup()


def _context(files: ClusterFiles, names: list[str]) -> ssl.SSLContext:
    context = files.server_context(wants_client=True)
    context.verify_mode = ssl.CERT_OPTIONAL

    def hear(_socket: object, name: str | None, _context: object) -> None:
        names.append(name or "")

    context.sni_callback = hear  # type: ignore[assignment]
    return context


def _seen(request: web.BaseRequest, ports: Mapping[int, str], names: list[str]) -> Asked:
    assert request.transport is not None
    peer: dict[str, Any] = request.transport.get_extra_info("peercert") or {}
    subject = {key: value for part in peer.get("subject", ()) for key, value in part}
    acts_as = [(name.lower(), value) for name, value in request.headers.items()]
    secure = request.transport.get_extra_info("sslcontext") is not None
    return Asked(
        ports[request.transport.get_extra_info("sockname")[1]],
        request.path,
        request.headers.get("Authorization", ""),
        tuple(sorted(pair for pair in acts_as if pair[0].startswith("impersonate-"))),
        subject.get("commonName", ""),
        names[-1] if secure and names else "",
        "Accept-Encoding" in request.headers,
    )


def _marks(folder: Path, files: ClusterFiles) -> dict[str, str]:
    marks = {"DIR": str(folder), "PATH": os.environ["PATH"]}
    for name, path in (
        ("CA", files.ca),
        ("CERT", files.client_certificate),
        ("KEY", files.client_key),
    ):
        text = path.read_text()
        marks |= {
            name: str(path),
            f"{name}64": base64.b64encode(text.encode()).decode(),
            f"{name}-TEXT": text,
            # as a word of JSON, within a word of the shell's printf
            f"{name}-LINE": text.replace("\n", "\\\\n"),
        }
    return marks
