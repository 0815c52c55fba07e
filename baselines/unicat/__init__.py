"""UniCat: every modality trained by losses of its own, their features side by side at test."""
