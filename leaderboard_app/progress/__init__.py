"""The published numbers over the years, and against what they cost."""
