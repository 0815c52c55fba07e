"""Ranks of all matches of a query, from distances or descriptors, on NumPy or a torch device."""
