"""IDEA (CVPR 2025): captions become tokens of the image encoder, and choose where to look."""
