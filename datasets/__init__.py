"""The data sets that come with the harness, one loader and one card each."""
