"""The history of generated images (Shrivastava et al., CVPR 2017) that steadies discriminators."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """A place for `capacity` images; half of what is asked for comes from it.

    It is a module so that its images are part of a training's state.

    Args:
        capacity: Images it holds.
        size: Their height and width.
    """

    images: Tensor

    def __init__(self, capacity: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(capacity, 3, *size))
        # A plain number, since asking a GPU for one would wait for it at every step.
        self.count = 0

    def get_extra_state(self) -> Tensor:
        """How many places are taken, for the state dict."""
        return torch.tensor(self.count)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the number back from a state dict."""
        self.count = int(state)

    def exchange(self, image: Tensor, draws: np.random.Generator) -> Tensor:
        """Give an image (1, 3, h, w) and take one of the same shape.

        While there is room the image is kept and comes straight back. After that, with equal
        chances, it comes back unkept, or it takes the place of an earlier one which comes out.
        """
        capacity = len(self.images)
        if self.count < capacity:
            self.images[self.count] = image[0].detach()
            self.count += 1
            return image
        if capacity == 0 or draws.random() < 0.5:
            return image
        place = int(draws.integers(capacity))
        earlier = self.images[place : place + 1].clone()
        self.images[place] = image[0].detach()
        return earlier
