"""Losses and layers that several baselines use."""
