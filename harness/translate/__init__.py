"""An unpaired image translator (CycleGAN) from one modality to another: trained, kept, applied."""
