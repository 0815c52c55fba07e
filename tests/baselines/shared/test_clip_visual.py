"""CLIP's image encoder: its authors' numbers, timm's function, and weights from files."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from baselines.shared.clip_config import EncoderShape
from baselines.shared.clip_visual import ClipVisual
from baselines.shared.clip_weights import PUBLIC, load_clip, our_name, resized_positions
from baselines.shared.torchscript import read_torchscript
from harness.base.errors import CheckpointError, PretrainedError, RecipeError
from tests.baselines.published import METHODS, filled, needed
from tests.golden import Setting, inputs, shapes

# TorchScript is deprecated, and what OpenAI's file is.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")

SMALL = EncoderShape(depth=2, width=32, heads=2, patch=16, out=16)
SIZE = (64, 32)


def small() -> ClipVisual:
    torch.manual_seed(0)
    return ClipVisual(SIZE, SMALL)


def in_timm() -> nn.Module:
    """timm's network of the same small shape, made for its usual square images."""
    torch.manual_seed(1)
    name = PUBLIC.partition(".")[0]
    net = timm.create_model(name, depth=2, embed_dim=32, num_heads=2, num_classes=16)
    nn.init.normal_(net.head.weight)
    nn.init.zeros_(net.head.bias)
    return net.eval()


def openai_names(net: nn.Module) -> dict[str, Tensor]:
    """timm's weights as OpenAI's file has them, without `visual.`."""
    state = dict(net.state_dict())
    found = {
        "class_embedding": state.pop("cls_token").flatten(),
        "positional_embedding": state.pop("pos_embed")[0],
        "conv1.weight": state.pop("patch_embed.proj.weight"),
        "proj": state.pop("head.weight").T.contiguous(),
    }
    state.pop("head.bias")
    swaps = (
        ("norm_pre.", "ln_pre."),
        ("norm1.", "ln_1."),
        ("norm2.", "ln_2."),
        ("attn.qkv.", "attn.in_proj_"),
        ("attn.proj.", "attn.out_proj."),
        ("mlp.fc1.", "mlp.c_fc."),
        ("mlp.fc2.", "mlp.c_proj."),
        ("blocks.", "transformer.resblocks."),
    )
    for key, value in state.items():
        name = "ln_post." + key.removeprefix("norm.") if key.startswith("norm.") else key
        for timms, theirs in swaps:
            name = name.replace(timms, theirs)
        found[name] = value
    return found


@needed
def test_tokens_and_positions_are_those_of_the_authors_code() -> None:
    folder = METHODS / "clip-vit"
    want = np.load(folder / "clip_vit_f64.npz")
    net = ClipVisual((256, 128))
    assert sum(p.numel() for p in net.parameters()) == 86_140_416
    state = {k: filled(k, shape) for k, shape in shapes(folder / "keys.tsv").items()}
    net.load_state_dict({our_name(k): v for k, v in state.items()})
    images = inputs(Setting(0, 256, 128, [0, 0], 1, 0))["RGB"].double()
    shift = np.random.default_rng(5).standard_normal((2, 1, 768))[:, 0]
    with torch.no_grad():
        tokens = net.double()(images).numpy()
        shifted = net(images, torch.from_numpy(shift)).numpy()
    np.testing.assert_allclose(tokens[:, 0], want["tokens.class"], atol=1e-10)
    np.testing.assert_allclose(tokens[0, ::16], want["tokens.sample0.every16"], atol=1e-10)
    np.testing.assert_allclose(shifted[:, 0], want["tokens_with_sie.class"], atol=1e-10)
    positions = torch.from_numpy(np.random.default_rng(1).standard_normal((197, 768)))
    for grid in ((16, 8), (8, 16)):
        found = resized_positions(positions, grid).numpy()
        np.testing.assert_allclose(found[::16], want[f"positions.{grid[0]}x{grid[1]}.every16"])


def test_it_costs_what_the_authors_measure() -> None:
    with torch.device("meta"):
        net = ClipVisual((256, 128))
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, 256, 128))
    assert counter.get_total_flops() / 1e9 == pytest.approx(22.78, abs=0.01)


@pytest.mark.parametrize("shape", ["timm", "openai", "openai whole", "openai half", "script"])
def test_published_files_of_every_kind_give_timms_function(tmp_path: Path, shape: str) -> None:
    net = in_timm()
    path = write(tmp_path, net, shape)
    ours = ClipVisual((224, 224), SMALL)
    load_clip(ours, str(path))
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        want = net.forward_features(images) @ net.head.weight.T
        found = ours(images)
    torch.testing.assert_close(
        found, want, **({"atol": 0.02, "rtol": 0} if "half" in shape else {})
    )
    assert all(p.dtype == torch.float32 for p in ours.parameters())
    # and at another size only the positions differ
    other = small()
    load_clip(other, str(path))
    assert torch.equal(other.proj, ours.proj)
    resized = resized_positions(ours.positional_embedding.detach(), (4, 2))
    assert torch.equal(other.positional_embedding, resized)


def write(folder: Path, net: nn.Module, shape: str) -> Path:
    """The weights as one of the public files has them."""
    names = openai_names(net)
    if shape == "timm":
        save_file(net.state_dict(), folder / "clip.safetensors")
        return folder / "clip.safetensors"
    if shape == "script":
        return scripted(folder, names)
    if shape == "openai half":
        names = {k: v.half() for k, v in names.items()}
    if shape == "openai whole":
        names = {f"visual.{k}": v for k, v in names.items()}
        names |= {"positional_embedding": torch.zeros(77, 8), "logit_scale": torch.zeros(())}
    torch.save(names, folder / "clip.pt")
    return folder / "clip.pt"


class Nest(nn.Module):
    """A module with these parameters, however deep their names are."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        deeper: dict[str, dict[str, Tensor]] = {}
        for key, value in state.items():
            first, _, rest = key.partition(".")
            if rest:
                deeper.setdefault(first, {})[rest] = value
            else:
                self.register_parameter(first, nn.Parameter(value))
        for name, inner in deeper.items():
            self.add_module(name, Nest(inner))

    def forward(self, x: Tensor) -> Tensor:
        return x


def scripted(folder: Path, names: dict[str, Tensor]) -> Path:
    """A TorchScript archive, as OpenAI's is."""
    module = Nest({f"visual.{k}": v for k, v in names.items()})
    module.register_parameter("logit_scale", nn.Parameter(torch.tensor(4.6)))
    module.register_buffer("vocab_size", torch.tensor(49408))
    torch.jit.script(module).save(str(folder / "ViT-B-16.pt"))
    return folder / "ViT-B-16.pt"


def test_an_archives_tensors_are_those_that_torch_reads(tmp_path: Path) -> None:
    path = scripted(tmp_path, openai_names(in_timm()))
    want = torch.jit.load(str(path), map_location="cpu").state_dict()
    found = read_torchscript(path)
    assert found.keys() == want.keys()
    assert all(torch.equal(found[k], want[k]) for k in want)


def test_an_archive_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/constants.pkl", b"")
        archive.writestr("evil/data.pkl", pickle.dumps(Runs()))
    with pytest.raises(PretrainedError, match=r"names pathlib.*no part of a module"):
        load_clip(small(), str(path))
    assert not (tmp_path / "ran").exists()


def test_damaged_archives_and_other_files_are_named(tmp_path: Path) -> None:
    whole = scripted(tmp_path, openai_names(in_timm()))
    cut = tmp_path / "cut.pt"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(cut, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, old.read(entry)[: None if "/data/" not in entry else 8])
    with pytest.raises(PretrainedError, match=r"its storage \d+ is not of"):
        load_clip(small(), str(cut))
    with pytest.raises(PretrainedError, match="there is no file") as caught:
        load_clip(small(), str(tmp_path / "gone.pt"))
    assert "`--set pretrained=none`" in caught.value.do


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"proj": None}, "1 missing: proj"),
        ({"transformer.resblocks.1.mlp.c_fc.bias": None}, r"missing: blocks\.1\.mlp\.fc1\.bias"),
        ({"transformer.resblocks.2.ln_1.bias": torch.zeros(32)}, r"unexpected: blocks\.2\.norm1"),
        ({"ln_post.weight": torch.zeros(31)}, r"of another shape: ln_post\.weight \(31 in the"),
        ({"positional_embedding": torch.zeros(130, 32)}, "130 positions are no class and"),
    ],
)
def test_wrong_and_partial_files_are_refused_by_key(
    tmp_path: Path, change: dict[str, Tensor | None], match: str
) -> None:
    state: dict[str, Any] = openai_names(in_timm()) | change
    torch.save({k: v for k, v in state.items() if v is not None}, tmp_path / "clip.pt")
    net = small()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(CheckpointError, match=match):
        load_clip(net, str(tmp_path / "clip.pt"))
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_a_head_that_is_no_projection_is_refused(tmp_path: Path) -> None:
    net = in_timm()
    nn.init.ones_(net.head.bias)
    save_file(net.state_dict(), tmp_path / "clip.safetensors")
    with pytest.raises(CheckpointError, match=r"head\.bias"):
        load_clip(small(), str(tmp_path / "clip.safetensors"))


def test_offline_the_error_names_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def offline(name: str, pretrained: bool = False, **options: Any) -> Any:
        if not pretrained:
            return real(name, **options)
        asked.append(name)
        raise OSError("no route to the hub\nmore")

    real = timm.create_model
    monkeypatch.setattr("baselines.shared.clip_weights.timm.create_model", offline)
    # another shape ends before the download
    with pytest.raises(CheckpointError, match=r"unexpected: blocks\.2"):
        load_clip(small(), "imagenet")
    assert asked == []
    with torch.device("meta"):
        net = ClipVisual((256, 128))
    with pytest.raises(PretrainedError, match="no route to the hub") as caught:
        load_clip(net, "imagenet")
    assert asked == ["vit_base_patch16_clip_quickgelu_224.openai"]
    assert "`--set pretrained=none`" in caught.value.do and "/path/to/weights" in caught.value.do


def test_further_tokens_stand_last_and_blocks_can_be_walked_by_hand() -> None:
    net = small().eval()
    images, extra = torch.randn(2, 3, *SIZE), torch.randn(2, 3, 32)
    tokens = net.start(images, extra=extra)
    assert tokens.shape == (2, 1 + 8 + 3, 32)
    torch.testing.assert_close(tokens[:, 9:], net.ln_pre(extra))
    for block in net.blocks:
        tokens = block(tokens)
    torch.testing.assert_close(net.finish(tokens), net(images, extra=extra))


def test_overlapping_patches_have_a_position_each() -> None:
    net = ClipVisual(SIZE, SMALL, stride=8)
    assert net.grid == (7, 3)
    assert net(torch.randn(1, 3, *SIZE)).shape == (1, 1 + 21, 16)
    with pytest.raises(RecipeError, match="8x32 pixels for patches of 16x16"):
        ClipVisual((8, 32), SMALL)
