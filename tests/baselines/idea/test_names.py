"""IDEA's weights under their authors' names: whole, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from baselines.idea.config import TextShape
from baselines.idea.text import TextEncoder
from baselines.idea.weights import load_text
from harness.base.errors import CheckpointError, HarnessError
from harness.data import tokens
from harness.spec.modality import MODALITIES
from tests.baselines.clip_names import PARTS
from tests.baselines.idea.test_idea import METHOD, TEXT, build


def test_the_authors_names_load_whole() -> None:
    for config in ({}, {"supervision": "each"}, {"shared_offsets": False}):
        net = build(**config)
        theirs = {_theirs(key): value for key, value in net.state_dict().items()}
        theirs = {k: _shape(k, v) for k, v in theirs.items()}
        theirs["BACKBONE.base.logit_scale"] = torch.zeros(())
        for state in (theirs, {"state_dict": {f"module.{k}": v for k, v in theirs.items()}}):
            ours = METHOD.import_state(state)
            assert ours.keys() == net.state_dict().keys()
            assert all(torch.equal(ours[k], v) for k, v in net.state_dict().items())
        assert METHOD.import_state(ours).keys() == ours.keys()
    with pytest.raises(CheckpointError, match="is Signal's, not IDEA's"):
        METHOD.import_state({"clip_vision_encoder.base.proj": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"no counterpart for the parameter 'CDA\.old'"):
        METHOD.import_state(theirs | {"CDA.old": torch.zeros(1)})


_BLOCKS = (
    *PARTS,
    ("blocks.", "transformer.resblocks."),
    ("backbone.encoder.", "BACKBONE.base.visual."),
    ("backbone.camera_embedding", "BACKBONE.cv_embed"),
    ("text.prompts", "BACKBONE.base.text_prompt"),
    ("text.", "BACKBONE.base."),
)
_REST = (
    ("inversion.position", "BACKBONE.base.visual.new_positional_embedding"),
    ("inversion.layers.0.", "BACKBONE.inverseNet.fc1."),
    ("inversion.layers.3.", "BACKBONE.inverseNet.fc2."),
    ("cda.offsets.all.", "CDA.da_group.0.conv_offset."),
    *(
        (f"cda.offsets.{m}.", f"CDA.da_group.0.conv_offset_{c}.")
        for m, c in zip(MODALITIES, "rnt", strict=True)
    ),
    *((f"cda.{ours}.", f"CDA.da_group.0.proj_{ours[0]}.") for ours in ("query", "key", "value")),
    ("cda.out.", "CDA.da_group.0.proj_out."),
    *((f"heads.necks.cda_{s}.norm", f"bottleneck_{s}") for s in ("visual", "textual")),
    *((f"heads.necks.cda_{s}.classifier", f"{s}_classifier") for s in ("visual", "textual")),
    *(
        (f"heads.necks.{s}_{m}.{ours}", f"{part}_{s[0]}_{c}")
        for s in ("visual", "textual")
        for m, c in zip(MODALITIES, ("rgb", "nir", "tir"), strict=True)
        for ours, part in (("norm", "bottleneck"), ("classifier", "classifier"))
    ),
    *(
        (f"heads.necks.{s}.{ours}", f"{part}_{s[0]}")
        for s in ("visual", "textual")
        for ours, part in (("norm", "bottleneck"), ("classifier", "classifier"))
    ),
)  # fmt: skip


def _theirs(key: str) -> str:
    for ours, official in _BLOCKS if key.startswith(("backbone.", "text.")) else _REST:
        key = key.replace(ours, official)
    return key


def _shape(key: str, value: Tensor) -> Tensor:
    if key.endswith("cv_embed"):
        return value[:, None]
    return value[..., None, None] if ".proj_" in key and key.endswith("weight") else value


def test_published_text_weights_load_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, other = (TextEncoder(TextShape(**TEXT), 8, 2) for _ in range(2))
    names = {k: _theirs(f"text.{k}").removeprefix("BACKBONE.base.") for k in encoder.state_dict()}
    state = {names[k]: v.half() for k, v in encoder.state_dict().items() if k != "prompts"}
    beside = {"visual.proj": torch.zeros(2), "logit_scale": torch.zeros(())}
    torch.save(state | beside, tmp_path / "clip.pt")
    kept = other.prompts.clone()
    load_text(other, str(tmp_path / "clip.pt"))
    assert torch.equal(other.prompts, kept) and torch.equal(
        other.ln_final.weight, state["ln_final.weight"].float()
    )
    half = encoder.text_projection.half().float()
    assert torch.equal(other.text_projection, half)
    torch.save(beside, tmp_path / "timm.pt")
    with pytest.raises(CheckpointError, match=r"17 missing: .*token_embedding\.weight"):
        load_text(other, str(tmp_path / "timm.pt"))
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    with pytest.raises(HarnessError, match="which is not installed"):
        load_text(other, "imagenet")
