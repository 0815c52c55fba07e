"""One data set: every method under every protocol."""
