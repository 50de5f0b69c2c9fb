"""The two classes of kubernetes-asyncio that are used, without its models of every API.

Its `__init__` modules import all of them: 0.5 s of CPU and 40 MB in each command, of which nothing
is used (`python -X importtime -c 'import kubernetes_asyncio'`). Neither is urllib3, of which
`Configuration` takes one function, to write a header of HTTP's basic authentication: it is not
asked for that (`login`), and most of what remained was its import.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType

_PACKAGE = "kubernetes_asyncio"
_HEADERS = "urllib3"


@contextmanager
def _entered_without_models() -> Iterator[None]:
    """Within it the package and its client are there, with their folders and without what their
    `__init__` would import; after it whoever imports them gets them whole.
    """
    if _PACKAGE in sys.modules:  # whole already
        yield
        return
    package = _hollow(_PACKAGE, None)
    strange = _HEADERS not in sys.modules
    if strange:
        _hollow(_HEADERS, None)
    client = _hollow(f"{_PACKAGE}.client", package.__path__)
    try:
        # what `config.kube_config` imports from there; it makes an ApiClient where asked for one
        from kubernetes_asyncio.client.configuration import Configuration as Its

        client.Configuration = Its  # type: ignore[attr-defined]
        client.ApiClient = None  # type: ignore[attr-defined]
        yield
    finally:
        for name in [each for each in sys.modules if each.split(".")[0] == _PACKAGE]:
            del sys.modules[name]
        if strange:
            del sys.modules[_HEADERS]


def _hollow(name: str, path: Sequence[str] | None) -> ModuleType:
    """The package, importable, with nothing of its `__init__` run. Raises ImportError."""
    spec = PathFinder.find_spec(name, path)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.modules[name] = module_from_spec(spec)
    return sys.modules[name]


with _entered_without_models():
    from kubernetes_asyncio.client.configuration import Configuration
    from kubernetes_asyncio.config.kube_config import KubeConfigLoader

__all__ = ["Configuration", "KubeConfigLoader"]
