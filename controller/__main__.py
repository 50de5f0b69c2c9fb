"""`python -m controller`, the same as `bootstrap-controller`."""

from controller.cli.main import main

main()
