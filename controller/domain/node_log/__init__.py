"""What a node's log tells: of how its process ended, and of what it does while it runs."""
