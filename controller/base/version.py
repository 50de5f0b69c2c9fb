"""Which version of the package this is."""


def our_version() -> str:
    # Imported here: it takes 17 ms, which `--help` need not wait for.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bootstrap-controller")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"
