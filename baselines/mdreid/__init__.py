"""MDReID (NeurIPS 2025): what a modality has of its own apart from what all of them share."""
