"""Many runs as one: planned together, started here or on a cluster, watched, shown at the end."""
