"""A URL of HTTP that a person wrote: read once, by the parser of the client that will ask there.

What is taken here is asked as it stands; what cannot be asked is refused here and nowhere later.
"""

import re

from yarl import URL

_ASKED = re.compile(r"(?i:https?)://([^/]*)(?:/.*)?")


def read_http_url(text: str, *, instead_of_user: str = "leave it out") -> URL:
    """A URL without user, query and fragment, to which a path can be appended.

    Raises ValueError, a clause that says what is wrong and never shows the URL: somebody may have
    written a password into it. instead_of_user: where a user is to be written, or not.
    """
    if not text.isprintable() or any(mark == "\\" or mark.isspace() for mark in text):
        raise ValueError("it holds a space, a backslash or a character that cannot be seen")
    if "?" in text or "#" in text:
        raise ValueError("it holds a query or a fragment: leave out what follows '?' or '#'")
    found = _ASKED.fullmatch(text)
    if found is None:
        raise ValueError("it is not http:// or https://")
    if "@" in found[1]:
        raise ValueError(f"it holds a user: {instead_of_user}")
    if not found[1].split(":")[0]:  # yarl's own sentences about it are of two kinds
        raise ValueError("it names no host")
    try:
        url = URL(text)
    except ValueError:
        raise ValueError("it is no URL: look at the brackets and the port") from None
    if not url.host:
        raise ValueError("it names no host")
    return url
