"""Pages as HTML: templates with everything escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controller.base.version import our_version
from controller.page import words

_FOLDER = Path(__file__).parent


class Templates:
    """Read once, when each is first used."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = (
            words.sign, words.kind, words.lasting, words.stamp, words.iso, words.short,
            words.version,
        )  # fmt: skip
        self._environment.filters.update({each.__name__: each for each in filters})
        self._environment.globals["release"] = our_version()

    def render(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(**values)


def style() -> str:
    return (_FOLDER / "static" / "page.css").read_text(encoding="utf-8")


def script() -> str:
    return (_FOLDER / "static" / "page.js").read_text(encoding="utf-8")


def icon() -> str:
    return (_FOLDER / "static" / "icon.svg").read_text(encoding="utf-8")
