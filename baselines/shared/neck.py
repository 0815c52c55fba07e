"""BNNeck: the batch-normalised feature is classified, the feature before it is compared."""

from __future__ import annotations

from torch import Tensor, nn


class BNNeck(nn.Module):
    """Batch normalisation without shift before a classifier without bias (Luo et al. 2019, 3.4).

    The shift stays at zero and is not trained, so that the classes are separated by angles. The
    classifier starts near zero (normal, deviation 0.001), as in the authors' code.

    Args:
        width: d of the features.
        classes: Identities in training.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.norm.bias.requires_grad_(False)
        self.classifier = nn.Linear(width, classes, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The normalised features (n, width) and their logits (n, classes).

        Args:
            features: (n, width); in train mode n is at least 2.
        """
        normalised: Tensor = self.norm(features)
        return normalised, self.classifier(normalised)
