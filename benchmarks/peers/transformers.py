"""The authors' code of TOP-ReID, EDITOR, DeMo and Signal, stepped as their processors step it.

The four are one family: a configuration in yacs, `make_model`, `make_loss`, `make_optimizer`, and a
loop that sums pairs of scores and features. Their half precision on a GPU is left out: both sides
compute in float32.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.peers.borrow import borrowed

CLASSES, CAMERAS = 171, 4
CONFIGS = {
    "top-reid": "configs/RGBNT201/TOP-ReID.yml",
    "editor": "configs/RGBNT201/EDITOR.yml",
    "demo": "configs/RGBNT201/DeMo.yml",
    "signal": "configs/RGBNT201/Signal.yml",
}
# The shapes of OpenAI's ViT-B/16; of the text tower, which these methods drop, one block.
_WIDTH, _OUT, _PATCHES, _LAYERS, _TEXT = 768, 512, 196, 12, 512


def step(path: str, method: str, batch: int, threads: int) -> Callable[..., dict[str, Any]]:
    """A step on one batch of random images, `count` times a round; no weights are loaded."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    root = Path(path)
    config = _config(root, method)
    model = _model(root, config, method).float().train()
    make_loss = borrowed(root, "layers.make_loss").make_loss
    loss_fn, centres = make_loss(config, num_classes=CLASSES)
    make_optimiser = borrowed(root, "solver.make_optimizer").make_optimizer
    optimiser, _ = make_optimiser(config, model, centres)
    made = torch.Generator().manual_seed(0)
    images = {m: torch.randn(batch, 3, 256, 128, generator=made) for m in ("RGB", "NI", "TI")}
    pids, cameras = torch.arange(batch) // 4, torch.arange(batch) % CAMERAS

    def work(count: int = 1) -> dict[str, Any]:
        for _ in range(count):
            optimiser.zero_grad()
            loss = _loss(model, method, config, loss_fn, images, pids, cameras)
            loss.backward()
            optimiser.step()
            loss.item()
        return {"parameters": sum(p.numel() for p in model.parameters())}

    return work


def _loss(
    model: Any, method: str, config: Any, loss_fn: Any, images: Any, pids: Any, cameras: Any
) -> Any:
    """The sum that their processors form, with the labels in the words that their models take."""
    views = {"cam_label": cameras, "view_label": cameras * 0}
    if method == "signal":
        out = model(images, label=pids, training=True, sge=config.MODEL.stageName, **views)
        pairs, more = out[1:-2], (config.MODEL.Gram_Loss_weight, config.MODEL.PAT_Loss_weight)
        extra = sum(weight * value for weight, value in zip(more, out[-2:], strict=True))
    else:
        writer = SimpleNamespace(add_scalar=lambda *_: None)
        known = {"img_path": None, "writer": writer, "epoch": 1} if method == "editor" else {}
        out = model(images, label=pids, **views, **known)
        odd = len(out) % 2
        pairs, extra = out[: len(out) - odd], sum(out[len(out) - odd :])
    scored = zip(pairs[::2], pairs[1::2], strict=True)
    return sum(loss_fn(score=s, feat=f, target=pids, target_cam=cameras) for s, f in scored) + extra


def _config(root: Path, method: str) -> Any:
    config = borrowed(root, "config").cfg
    config.merge_from_file(str(root / CONFIGS[method]))
    config.MODEL.PRETRAIN_CHOICE = "none"
    config.freeze()
    return config


def _model(root: Path, config: Any, method: str) -> Any:
    _stay_on_cpu()
    making = borrowed(root, "modeling.make_model" if method != "signal" else "modeling")
    if method in ("demo", "signal"):
        _without_file(root)
    if method in ("top-reid", "editor"):
        views = () if method == "editor" else (0,)
        return making.make_model(config, CLASSES, CAMERAS, *views)
    make = making.make_frame if method == "signal" else making.make_model
    return make(config, num_class=CLASSES, camera_num=CAMERAS, view_num=0)


def _stay_on_cpu() -> None:
    """They move what they make to a GPU by name: here that does nothing."""
    import torch

    to = torch.nn.Module.to

    def stay(self: Any, *words: Any, **more: Any) -> Any:
        return self if words and str(words[0]).startswith("cuda") else to(self, *words, **more)

    torch.nn.Module.to = stay  # type: ignore[method-assign, assignment]
    torch.nn.Module.cuda = torch.Tensor.cuda = lambda self, *_, **__: self  # type: ignore[method-assign, assignment]


def _without_file(root: Path) -> None:
    """Let them build CLIP from tensors of OpenAI's shapes; they read a file at a path of theirs."""
    clip = borrowed(root, "modeling.clip.clip")

    def load(config: Any, _: str, height: int, width: int, stride: int) -> Any:
        return clip.build_model(config, _openai_shapes(), height, width, stride)

    for name in ("modeling.make_model_clipreid", "modeling.meta_arch"):
        module = importlib.import_module(name)
        if hasattr(module, "load_clip_to_cpu"):
            module.load_clip_to_cpu = load  # type: ignore[attr-defined]


def _openai_shapes() -> dict[str, Any]:
    import torch

    shapes: dict[str, tuple[int, ...]] = {
        "visual.conv1.weight": (_WIDTH, 3, 16, 16),
        "visual.positional_embedding": (_PATCHES + 1, _WIDTH),
        "visual.proj": (_WIDTH, _OUT),
        "text_projection": (_TEXT, _OUT),
        "positional_embedding": (77, _TEXT),
        "token_embedding.weight": (49408, _TEXT),
        "ln_final.weight": (_TEXT,),
        "transformer.resblocks.0.attn.in_proj_weight": (3 * _TEXT, _TEXT),
    }
    for layer in range(_LAYERS):
        # Their loader counts these to know the depth.
        name = f"visual.transformer.resblocks.{layer}.attn.in_proj_weight"
        shapes[name] = (3 * _WIDTH, _WIDTH)
    return {name: 0.02 * torch.randn(shape) for name, shape in shapes.items()}
