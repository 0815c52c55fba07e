"""A run as one archive that another machine can verify, and archives from strangers."""
