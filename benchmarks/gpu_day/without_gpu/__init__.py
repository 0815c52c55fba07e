"""A GPU that is not there: CPU numbers under the name of `cuda`."""
