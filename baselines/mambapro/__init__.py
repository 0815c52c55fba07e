"""MambaPro (AAAI 2025): prompts and adapters in CLIP, state spaces over its patches."""
