"""EDITOR (CVPR 2024): one ViT, and only the patches that its attention or the light select."""
