"""What decoding raises at bytes that others wrote."""

import msgspec

# Not only its own errors: text that is no UTF-8, and a thousand brackets, pass through it as what
# they are.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
