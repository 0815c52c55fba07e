"""Measurements, run by hand: `harness bench --list`."""
