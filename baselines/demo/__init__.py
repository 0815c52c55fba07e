"""DeMo (AAAI 2025): features of every set of modalities, weighed by a mixture of experts."""
