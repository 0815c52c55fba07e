"""Short names of the backbones that the field starts from; imports no torch."""

from __future__ import annotations

PRESETS: dict[str, str] = {
    "resnet18": "resnet18.tv_in1k",
    "resnet50": "resnet50.tv_in1k",
    "resnet50_ibn_a": "resnet50_ibn_a",
    # The papers' "ViT-B/16, ImageNet-21k" is this file: from 21k, then fine-tuned on 1k.
    "vit_base_patch16": "vit_base_patch16_224.orig_in21k_ft_in1k",
    "vit_base_patch16_in21k": "vit_base_patch16_224.augreg_in21k",
    "vit_small_patch16": "vit_small_patch16_224.augreg_in21k",
    # OpenAI's network was trained with QuickGELU; timm's plain variant computes other numbers.
    "clip_vit_b16": "vit_base_patch16_clip_quickgelu_224.openai",
    "dinov3_vit_b16": "vit_base_patch16_dinov3.lvd1689m",
    "convnext_tiny": "convnext_tiny.fb_in22k_ft_in1k",
    "convnext_base": "convnext_base.fb_in22k_ft_in1k",
    "swin_tiny": "swin_tiny_patch4_window7_224.ms_in22k_ft_in1k",
    "swin_base": "swin_base_patch4_window7_224.ms_in22k_ft_in1k",
}
"""Short name -> timm's name with the tag of its weights; the tag also says how these want their
images normalised. `resnet50_ibn_a` is ours, in `ibn.py`."""


def full_name(name: str) -> str:
    """timm's name with tag for a preset, or a preset with another tag (`swin_tiny.ms_in1k`).

    Any other name is returned as it is.
    """
    short, dot, tag = name.partition(".")
    if short not in PRESETS:
        return name
    return PRESETS[short].partition(".")[0] + dot + tag if tag else PRESETS[short]
