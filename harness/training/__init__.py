"""Training: the sampler, augmentation, the loop, checkpoints and features."""
