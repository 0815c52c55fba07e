"""One run whole."""
