"""What a method is told beside images: their cameras, and captions of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.base.progress import say
from harness.data.arrays import ImageArrays
from harness.data.tokens import encoded
from harness.runs.plan import Plan
from harness.spec.dataset import Sample
from harness.spec.method import Method
from harness.spec.modality import Modality
from harness.spec.text import CONTEXT, framed, is_cut
from harness.training.texts import Texts


def cameras_of(plan: Plan, arrays: ImageArrays) -> NDArray[np.int64] | None:
    """Each row's camera as its place among those that the model learns; -1 for any other."""
    place = {camid: i for i, camid in enumerate(plan.cameras)}
    if not place:
        return None
    found = np.full(len(arrays.names), -1, np.int64)
    for split, rows in arrays.rows.items():
        found[rows] = [place.get(s.camid, -1) for s in plan.data.samples(split)]
    return found


def texts_of(plan: Plan, arrays: ImageArrays, method: Method, aloud: bool = True) -> Texts | None:
    """The ids of every row's captions; None for a method that is given none.

    Args:
        plan: Says which method, with which options, on which data.
        arrays: Of the data.
        method: Of the plan, made; it may put something before every caption.
        aloud: Say how many images have a caption, and how many are cut.

    Raises:
        HarnessError: The tokenizer is not installed.
    """
    if not plan.info.is_told_text:
        return None
    ids = encoded(text for text in plan.data.said.texts.values())
    samples = _by_row(plan, arrays)
    found, nothing = {}, {}
    for modality in plan.modalities("train"):
        prompt = prompt_of(method, plan.resolved.config, modality)
        own = [_said(plan, sample, modality) for sample in samples]
        found[modality] = np.array([framed(ids.get(text, ()), prompt) for text in own], np.int64)
        nothing[modality] = np.array(framed((), prompt), np.int64)
        if aloud:
            _tell(modality, samples, own, sum(is_cut(ids.get(text, ()), prompt) for text in own))
    return Texts(found, nothing)


def _tell(modality: Modality, samples: list[Sample], texts: list[str], cut: int) -> None:
    images = sum(modality in sample.paths for sample in samples)
    said = f"captions: {sum(map(bool, texts))} of {images} {modality} images have one"
    say(said + (f", {cut} of them are cut at {CONTEXT} ids" if cut else ""))


def prompt_of(method: Method, config: Any, modality: Modality) -> Sequence[int]:
    """What a method puts before each caption of a modality, in ids."""
    hook: Callable[[Any, Modality], Sequence[int]] | None = getattr(method, "text_prompt", None)
    return () if hook is None else hook(config, modality)


def _by_row(plan: Plan, arrays: ImageArrays) -> list[Sample]:
    """The sample of each row of the array."""
    found: dict[int, Sample] = {}
    for split, rows in arrays.rows.items():
        found |= zip(rows.tolist(), plan.data.samples(split), strict=True)
    return [found[row] for row in range(len(arrays.names))]


def _said(plan: Plan, sample: Sample, modality: Modality) -> str:
    """The caption of an image that is there."""
    return plan.data.said.of(sample.name, modality) if modality in sample.paths else ""
