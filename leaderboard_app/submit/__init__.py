"""A bundle of somebody else: verified, shown, maybe added."""
