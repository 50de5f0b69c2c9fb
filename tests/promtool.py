"""Prometheus' own tool, which the package `prometheus` brings."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def promtool(*arguments: str, stdin: bytes = b"", folder: Path | None = None) -> tuple[int, str]:
    """Exit code, and all that it said."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()
