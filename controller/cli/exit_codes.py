"""Exit codes of all commands: people's scripts go by them."""

DONE = 0
FAILED = 1  # another system's doing, or what was asked for could not be done everywhere
BAD_USAGE = 2  # a flag, a setting, or a name that means several; nothing was done
NOTHING_FOUND = 3  # nothing is there that was asked for, or to do it to
INTERRUPTED = 130  # by SIGINT, as a shell has it
