"""A network's weights under the names of MambaPro's authors."""

from __future__ import annotations

from torch import Tensor

from baselines.mambapro.model import MambaProNet

_NAMES = (
    ("backbone.encoder.blocks.", "BACKBONE.base.transformer.resblocks."),
    ("backbone.encoder.", "BACKBONE.base."),
    ("backbone.camera_embedding", "BACKBONE.cv_embed"),
    (".attn.qkv.", ".attn.in_proj_"),
    (".attn.proj.", ".attn.out_proj."),
    (".mlp.fc1.", ".mlp.c_fc."),
    (".mlp.fc2.", ".mlp.c_proj."),
    ("additions.", "BACKBONE.base.transformer.resblocks."),
    (".prompts.RGB", ".adapter_prompt_rgb"),
    (".prompts.NI", ".adapter_prompt_nir"),
    (".prompts.TI", ".adapter_prompt_tir"),
    (".guests.RGB.2", ".adapter_r.3"),
    (".guests.NI.2", ".adapter_n.3"),
    (".guests.TI.2", ".adapter_t.3"),
    (".guests.RGB.", ".adapter_r."),
    (".guests.NI.", ".adapter_n."),
    (".guests.TI.", ".adapter_t."),
    (".transfer.2", ".adapter_transfer.3"),
    (".transfer.", ".adapter_transfer."),
    (".beside.", ".adapter_ffn."),
    ("aggregation.blocks.", "AAM.ma_block."),
    ("aggregation.reduce.RGB", "AAM.linear_reduction_r"),
    ("aggregation.reduce.NI", "AAM.linear_reduction_n"),
    ("aggregation.reduce.TI", "AAM.linear_reduction_t"),
    (".enter.RGB", ".in_proj_r"),
    (".enter.NI", ".in_proj_n"),
    (".enter.TI", ".in_proj_t"),
    (".near.RGB", ".conv2d_r"),
    (".near.NI", ".conv2d_n"),
    (".near.TI", ".conv2d_t"),
    (".forth.RGB", ".SSM_r_f"),
    (".forth.NI", ".SSM_n_f"),
    (".forth.TI", ".SSM_t_f"),
    (".forth.joined", ".SSM_2_f"),
    (".back.RGB", ".SSM_r_b"),
    (".back.NI", ".SSM_n_b"),
    (".back.TI", ".SSM_t_b"),
    (".back.joined", ".SSM_2_b"),
    (".decay_log", ".A_log"),
    (".skip", ".D"),
    (".read.", ".x_proj."),
    (".step.", ".dt_proj."),
    ("_f.norm.", "_f.out_norm."),
    ("_b.norm.", "_b.out_norm."),
    (".leave.", ".out_proj."),
    (".intra.", ".SSM_intra."),
    (".inter.", ".SSM_inter."),
    ("heads.necks.ori.norm", "bottleneck"),
    ("heads.necks.ori.classifier", "classifier"),
    ("heads.necks.fuse.norm", "bottleneck_fuse"),
    ("heads.necks.fuse.classifier", "classifier_fuse"),
    ("heads.necks.each.norm", "BACKBONE.bottleneck"),
    ("heads.necks.each.classifier", "BACKBONE.classifier"),
)


def official(net: MambaProNet) -> dict[str, Tensor]:
    """By the table of their names."""
    found = {}
    for key, value in net.state_dict().items():
        name = key
        for ours, theirs in _NAMES:
            name = name.replace(ours, theirs)
        if "resblocks" in name:
            name = name.replace(".norm1.", ".ln_1.").replace(".norm2.", ".ln_2.")
        found[name] = value
    return found
