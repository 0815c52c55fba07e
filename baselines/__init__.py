"""Published methods beside IEEE, one folder each, and simple ones to measure against."""
