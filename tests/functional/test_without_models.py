"""kubernetes-asyncio, entered without its models."""

import subprocess
import sys

OURS = "controller.kube.login.kubeconfig.without_models"


def said(program: str) -> str:
    """By a new Python."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=True
    )
    return done.stdout.strip()


def test_no_model_is_imported() -> None:
    """Are the package's two thousand modules left where they are?"""
    ours = f"import sys, {OURS}; print([m for m in sys.modules if 'client.models' in m])"
    assert said(ours) == "[]"


def test_urllib3_is_not_imported() -> None:
    """Is what only a header of basic authentication needs left out, and whole for others?"""
    ours = f"import sys, {OURS}; print([m for m in sys.modules if 'urllib3' in m])"
    assert said(ours) == "[]"
    later = f"import {OURS}, urllib3; print(urllib3.util.make_headers(basic_auth='a:b'))"
    assert "authorization" in said(later)


def test_whoever_imports_the_package_later_has_it_whole() -> None:
    """Is nothing hollow left behind for another that uses the package in this process?"""
    later = f"import {OURS}; from kubernetes_asyncio import client, watch; print(client.V1Pod)"
    assert "V1Pod" in said(later)


def test_a_package_that_is_there_whole_is_used_as_it_is() -> None:
    """Are its classes those of the process, where another has imported it before?"""
    before = (
        "from kubernetes_asyncio import client;"
        f"from {OURS} import Configuration; print(Configuration is client.Configuration)"
    )
    assert said(before) == "True"
