"""The demo: the real controller, as a process of its own, against the simulated world."""
