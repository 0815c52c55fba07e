"""The two attentions of DDAG: over the parts of an image, and over the images of an identity."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.training.pooling import stripe_means


class PartAggregation(nn.Module):
    """IWPA, the intra-modality weighted-part aggregation (paper section 3.2).

    Every part becomes a mixture of all parts of the same image; their learned weighted mean is
    added to the global feature.

    Args:
        channels: Of the map.
        parts: Horizontal parts.
    """

    def __init__(self, channels: int, parts: int) -> None:
        super().__init__()
        self.parts = parts
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.gate = nn.Parameter(torch.full((parts,), 1 / parts))
        self.norm = nn.BatchNorm1d(channels)
        self.norm.bias.requires_grad_(False)

    def forward(self, maps: Tensor, whole: Tensor) -> Tensor:
        """The aggregated feature (n, channels).

        Args:
            maps: (n, channels, h, w).
            whole: The normalised global feature, (n, channels).
        """
        pooled = stripe_means(maps, self.parts)
        parts = pooled.squeeze(3).transpose(1, 2)
        # The scores are not divided by the root of the width, as in the paper and its code.
        related = (self.query(parts) @ self.key(parts).transpose(1, 2)).softmax(2)
        refined = related @ self.value(parts)
        weights = self.gate.softmax(0)
        aggregated: Tensor = self.norm((refined * weights[:, None]).sum(1) + whole)
        return aggregated


class GraphAttention(nn.Module):
    """One head of graph attention (Velickovic et al., ICLR 2018): a node is made of its neighbours.

    Args:
        width: Of the nodes that go in.
        out: Of the nodes that come out.
        dropout: On the attention.
        slope: Of the leaky ReLU on the scores.
    """

    def __init__(self, width: int, out: int, dropout: float, slope: float) -> None:
        super().__init__()
        self.project = nn.Linear(width, out, bias=False)
        # Together they are the vector a of the paper: one half for the node, one for a neighbour.
        self.own = nn.Parameter(torch.empty(out))
        self.other = nn.Parameter(torch.empty(out))
        self.dropout = nn.Dropout(dropout)
        self.slope = slope
        nn.init.xavier_uniform_(self.project.weight, gain=1.414)
        # Xavier for a matrix of 2 * out by 1, which the two halves are
        bound = 1.414 * (6 / (2 * out + 1)) ** 0.5
        nn.init.uniform_(self.own, -bound, bound)
        nn.init.uniform_(self.other, -bound, bound)

    def weights(self, projected: Tensor, linked: Tensor) -> Tensor:
        """(n, n) attention, row i over the neighbours of node i; 0 where nothing is linked."""
        scores = (projected @ self.own)[:, None] + (projected @ self.other)[None, :]
        scores = functional.leaky_relu(scores, self.slope)
        return scores.masked_fill(~linked, -torch.inf).softmax(1)

    def forward(self, nodes: Tensor, linked: Tensor) -> Tensor:
        """Nodes (n, width) to nodes (n, out).

        Args:
            nodes: (n, width).
            linked: (n, n) bool; every node is linked to itself.
        """
        projected = self.project(nodes)
        mixed: Tensor = self.dropout(self.weights(projected, linked)) @ projected
        return mixed


class CrossModalGraph(nn.Module):
    """CGSA, the cross-modality graph structured attention (paper section 3.3), for training.

    The nodes are the images of the batch, of all modalities; those of one identity are linked.

    Args:
        channels: Of the pooled feature.
        classes: Identities in training.
        heads: Of the first layer.
        width: Of each head.
        dropout: On nodes and attention.
        slope: Of the leaky ReLU on the scores.
    """

    def __init__(
        self, channels: int, classes: int, heads: int, width: int, dropout: float, slope: float
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(
            GraphAttention(channels, width, dropout, slope) for _ in range(heads)
        )
        self.out = GraphAttention(heads * width, classes, dropout, slope)

    def forward(self, pooled: Tensor, pids: Tensor) -> Tensor:
        """Logits (n, classes) of pooled features (n, channels) with labels (n,)."""
        linked = same_identity(pids)
        nodes = self.dropout(pooled)
        nodes = torch.cat([functional.elu(head(nodes, linked)) for head in self.heads], 1)
        return functional.elu(self.out(self.dropout(nodes), linked))


def same_identity(pids: Tensor) -> Tensor:
    """(n, n) bool: which images are linked, each with itself too (paper equation 6).

    The paper adds the identity matrix and normalises the rows; its attention looks only at which
    entries are above 0, so neither changes anything.
    """
    return pids[:, None] == pids[None, :]
