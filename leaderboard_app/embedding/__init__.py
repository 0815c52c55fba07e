"""Descriptors drawn in the plane."""
