"""Gathers what was seen of a run that is over, and gives it to the store."""
