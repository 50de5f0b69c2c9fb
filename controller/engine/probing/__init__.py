"""Follows the nodes of open runs, and what is known beside them."""
