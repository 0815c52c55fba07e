"""MPANet (CVPR 2021): modality alleviation and pattern alignment for cross-modal search."""
