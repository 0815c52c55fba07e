"""The board: every published number and every run of one data set and protocol."""
