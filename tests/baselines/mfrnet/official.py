"""A network's weights under the names of MFRNet's authors."""

from __future__ import annotations

import torch
from torch import Tensor

from baselines.mfrnet.model import MFRNet
from tests.baselines.clip_names import PARTS

_BLOCKS = (
    ("backbone.encoder.blocks.", "BACKBONE.base.transformer.resblocks."),
    ("backbone.encoder.", "BACKBONE.base."),
    *PARTS,
)
_OTHERS = (
    ("generation.layers.one.", "BACKBONE.base.gfmoe."),
    ("generation.layers.two.", "BACKBONE.base.gfmoe_2."),
    ("generation.weights.RGB_NI.", "BACKBONE.base.glw_RN.0.lw."),
    ("generation.weights.RGB_TI.", "BACKBONE.base.glw_RT.0.lw."),
    ("generation.weights.NI_RGB.", "BACKBONE.base.glw_NR.0.lw."),
    ("generation.weights.NI_TI.", "BACKBONE.base.glw_NT.0.lw."),
    ("generation.weights.TI_RGB.", "BACKBONE.base.glw_TR.0.lw."),
    ("generation.weights.TI_NI.", "BACKBONE.base.glw_TN.0.lw."),
    ("gate.projector", "gates.0.cosine_projector"),
    ("gate.directions", "gates.0.sim_matrix"),
    ("gate.temperature", "gates.0.temperature"),
    ("reduce.RGB.", "rgb_reduce."),
    ("reduce.NI.", "nir_reduce."),
    ("reduce.TI.", "tir_reduce."),
    ("heads.necks.RGB.norm", "bottleneck_r"),
    ("heads.necks.NI.norm", "bottleneck_n"),
    ("heads.necks.TI.norm", "bottleneck_t"),
    ("heads.necks.RGB.classifier", "classifier_r"),
    ("heads.necks.NI.classifier", "classifier_n"),
    ("heads.necks.TI.classifier", "classifier_t"),
)


def official(net: MFRNet) -> dict[str, Tensor]:
    """By the table of their names, with what they have in every block and never use."""
    found = {}
    last = f"BACKBONE.base.transformer.resblocks.{net.config.encoder.depth - 1}.smoe."
    for key, value in net.state_dict().items():
        if key == "backbone.camera_embedding":
            found["BACKBONE.cv_embed"] = value[:, None]
            continue
        name, own = key, "AB" if key.startswith("adapter.") else "12"
        for ours, theirs in _BLOCKS if key.startswith("backbone.") else _OTHERS:
            name = name.replace(ours, theirs)
        name = name.replace("adapter.", last)
        for ours, theirs in zip(("first", "second"), own, strict=True):
            name = name.replace(f"experts.0.{ours}", f"experts.conv_{theirs}")
        pixel = ".experts." in key and value.ndim == 2
        found[name] = value[..., None] if pixel else value
        if name.startswith(last):
            found[name.replace(last, last.replace(".1.", ".0."))] = torch.zeros(1)
            found[f"{last}_num_global_experts"] = torch.tensor(6)
    return found
