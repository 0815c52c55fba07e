"""TOP-ReID (AAAI 2024): three ViTs whose class tokens look at the other modalities in turn."""
