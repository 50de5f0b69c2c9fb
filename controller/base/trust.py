"""Which certificates are believed: no fewer than Go's clients believe."""

import ssl
from pathlib import Path

from controller.base.text import shown


def systems_and(file: Path | None) -> ssl.SSLContext:
    """Believes the system's certificates, which are those of SSL_CERT_FILE where that is set, and
    those of the file (PEM). Raises ValueError, a clause that says what is wrong with the file.
    """
    context = as_go_believes(ssl.create_default_context())
    try:
        if file is not None:
            context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise ValueError("it holds no certificate in PEM") from None
    except OSError as error:
        raise ValueError(f"it cannot be read ({shown(error.strerror)})") from None
    return context


def as_go_believes(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, without VERIFY_X509_STRICT, which Python sets since 3.13 and many private
    CAs fail for want of a key identifier [39], and with an anchor that may itself be signed by
    another. kubectl, docker and containerd ask for neither, and trust is not widened by it: the
    anchors stay those that the context has.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
