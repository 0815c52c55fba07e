"""Signal (AAAI 2026): chosen patches interact, and the modalities are aligned as volumes."""
