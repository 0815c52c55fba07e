"""A table for a paper: chosen rows, seen before its LaTeX is taken away."""
