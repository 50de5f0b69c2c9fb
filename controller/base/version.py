"""Which version of the package this is."""

from importlib.metadata import PackageNotFoundError, version


def our_version() -> str:
    try:
        return version("bootstrap-controller")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"
