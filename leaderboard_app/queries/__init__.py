"""Queries and their answers, picture by picture."""
