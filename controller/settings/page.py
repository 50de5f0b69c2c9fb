"""The page: where it is served, and under which names."""

import re
from dataclasses import dataclass

from controller.base.text import shown
from controller.settings.option import Option
from controller.settings.reader import OptionReader, parse_host_port, parse_list

ANY_HOST = "*"

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")


def parse_hosts(text: str) -> tuple[str, ...]:
    """Names in small letters, each once; `*` alone for any."""
    names = parse_list(text.lower())
    if not names:
        raise ValueError("it names none: write a name such as tests.example.com, or * for any")
    if ANY_HOST in names and len(names) > 1:
        raise ValueError("* is any of them: write * alone, or the names alone")
    for name in names:
        if name != ANY_HOST and not _NAME.fullmatch(name):
            raise ValueError(
                f"'{shown(name)}' is no name of a host: write it as tests.example.com, without"
                " scheme, port and path"
            )
    return names


PAGE = Option(
    "--page",
    "BOOTSTRAP_PAGE",
    parse_host_port,
    "address of the page and of `/api/v1`, which only show and have no login; off if not set",
    metavar="HOST:PORT",
)
PAGE_HOST = Option(
    "--page-host",
    "BOOTSTRAP_PAGE_HOSTS",
    parse_hosts,
    "name under which browsers may ask for the page, such as an Ingress's, beside addresses,"
    " `localhost` and the cluster's own (repeatable; the variable: comma separated, `*` for any)",
    metavar="NAME",
    repeatable=True,
)


@dataclass(frozen=True)
class PageSettings:
    """Where the page is served, and under which names."""

    host: str  # without brackets
    port: int  # 0: any free one
    names: tuple[str, ...] = ()  # in small letters, beside those that are always taken; `*`: any


def read_page(read: OptionReader) -> PageSettings | None:
    """None where it is off."""
    where, names = read.maybe(PAGE), read.maybe(PAGE_HOST) or ()
    return PageSettings(*where, names) if where else None
