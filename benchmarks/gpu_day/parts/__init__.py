"""The parts of the three commands; each is run by itself with `python -m`."""
