"""One method: its paper, its numbers everywhere, its cost, and where ours departs."""
