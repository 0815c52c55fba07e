"""DDAG (ECCV 2020): part attention within an image, graph attention across modalities."""
