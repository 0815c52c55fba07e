"""Reading files that a stranger may have made: bounded, and without running anything."""
