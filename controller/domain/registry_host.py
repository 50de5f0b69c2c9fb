"""What a registry is called: one name for each, whichever of its names was written."""

from controller.domain.reference import DOCKER_HUB, ReferenceFault, Repository

# The names under which Docker Hub is known: in references, in config.json, on the wire [68].
HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})


def canonical_host(host: str) -> str:
    """In lower case; Docker Hub's own name for all of its names."""
    host = host.lower()
    return DOCKER_HUB if host in HUB_HOSTS else host


def is_registry(host: str) -> bool:
    """Whether an image's name could begin with it: others are read as a path at Docker Hub."""
    try:
        Repository(DOCKER_HUB if host in HUB_HOSTS else host, "a/b")
    except ReferenceFault:
        return False
    return True
