"""HA-CNN (CVPR 2018), one for each modality."""
