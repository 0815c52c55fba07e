"""Hetero-center loss network (Neurocomputing 2020): two-stream, striped, for cross-modal search."""
