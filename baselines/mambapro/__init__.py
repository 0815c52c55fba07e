"""MambaPro (AAAI 2025): prompts and adapters in a frozen CLIP, and state spaces over its patches."""
