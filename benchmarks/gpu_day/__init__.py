"""The GPU day: everything that needs a GPU, measured and checked in three commands."""
