"""Weights that others published for a single-modality network, under their parameter names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from harness.base.errors import CheckpointError, PretrainedError
from harness.training.weights import describe_misfit, read_file
from harness.training.wrappers import state_of

MODEL_ZOO = "https://kaiyangzhou.github.io/deep-person-reid/MODEL_ZOO"
"""Where the public library torchreid lists its checkpoints."""


class PublicNames(NamedTuple):
    """How torchreid calls a network and its parameters.

    Attributes:
        network: Its name there, such as `osnet_x1_0`.
        table: Pieces of our parameter names and theirs, replaced one after the other.
        imagenet: Whether a checkpoint trained on ImageNet was published.
    """

    network: str
    table: tuple[tuple[str, str], ...]
    imagenet: bool = True

    def of(self, key: str) -> str:
        """Their name of one of our parameters or buffers."""
        for ours, theirs in self.table:
            key = key.replace(ours, theirs)
        return key


def load_public(networks: Iterable[nn.Module], source: str, names: PublicNames) -> None:
    """Load one published checkpoint into each of the networks; its classifiers are ignored.

    Args:
        source: The path of a .safetensors or .pth file in torchreid's naming, or `imagenet`.

    Raises:
        PretrainedError: `imagenet`, which nothing here can download, or a file that is not
            there or cannot be read.
        CheckpointError: The file's weights do not fit the network.
    """
    if source == "imagenet":
        raise _not_here(names)
    path = Path(source)
    try:
        found = state_of(read_file(path), str(path))
    except CheckpointError as error:
        raise PretrainedError(
            error.seen, error.expected, f"{error.do}; or pass --set pretrained=none"
        ) from error
    got = {k: v for k, v in found.items() if not k.startswith("classifier")}
    for network in networks:
        state = network.state_dict()
        want = {names.of(key): value for key, value in state.items()}
        # files of older torch lack this counter, which only momentum=None reads
        counters = {k: torch.zeros_like(v) for k, v in want.items() if k.endswith("_tracked")}
        misfit = describe_misfit(want, counters | got)
        if misfit:
            raise CheckpointError(
                f"the weights in {path} do not fit {names.network}: {misfit}",
                f"the parameters of {names.network} in torchreid's naming; a classifier may be "
                "there and is not used",
                f"pass the file of this very network, listed at {MODEL_ZOO}",
            )
        loaded = counters | got
        network.load_state_dict({key: loaded[names.of(key)] for key in state})


def _not_here(names: PublicNames) -> PretrainedError:
    if not names.imagenet:
        return PretrainedError(
            f"nobody published ImageNet weights of {names.network}",
            "training from scratch, as its paper does, or a checkpoint of another data set",
            f"--set pretrained=none, or take a file from {MODEL_ZOO} and pass "
            "--set pretrained=/path/to/file.pth",
        )
    return PretrainedError(
        f"the ImageNet weights of {names.network} cannot be downloaded by a program",
        f"the public file, taken by hand from {MODEL_ZOO} (row {names.network} of the "
        "ImageNet pretrained models)",
        f"--set pretrained=/path/to/{names.network}_imagenet.pth, or --set pretrained=none",
    )
