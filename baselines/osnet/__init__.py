"""OSNet (ICCV 2019), one for each modality."""
