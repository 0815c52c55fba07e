"""Data on disk: opening, checking and linting it, and turning images into one array."""
