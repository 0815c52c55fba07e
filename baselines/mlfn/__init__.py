"""MLFN (CVPR 2018), one for each modality."""
