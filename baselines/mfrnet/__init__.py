"""MFRNet (ICML 2025): experts make each modality's tokens of the others', and adapt the encoder."""
