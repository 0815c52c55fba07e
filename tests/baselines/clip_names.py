"""What CLIP calls the parts of a block, for tests that write weights under the authors' names."""

from __future__ import annotations

PARTS = (
    (".norm1.", ".ln_1."),
    (".norm2.", ".ln_2."),
    (".attn.qkv.", ".attn.in_proj_"),
    (".attn.proj.", ".attn.out_proj."),
    (".mlp.fc1.", ".mlp.c_fc."),
    (".mlp.fc2.", ".mlp.c_proj."),
)
"""Ours and theirs, to be replaced in a name."""
