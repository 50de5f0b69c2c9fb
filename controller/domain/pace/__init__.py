"""How far a bootstrap has come, how fast, how long it still takes, and how it compares."""
