"""Checks about absent modalities: what a method that takes them must do, and who is refused."""

from __future__ import annotations

import torch

from harness.base.errors import ProtocolError
from harness.conformance.subject import Subject
from harness.runs.plan import plan_run
from harness.spec.plugins import load_plugins
from harness.spec.protocol import Protocol

_CLOSE = 1e-4
_NAME = "conformance-missing"


def absent_modalities(subject: Subject) -> None:
    """Under a policy other than `none`, batches without some images are embedded as they should.

    A modality that a whole side lacks (no key) gives what the same images give when each of them
    is absent by the mask; queries and galleries of different modalities can be compared; and a
    sample with all its images does not notice that another lacks one.
    """
    if subject.info.missing == "none" or len(subject.modalities) < 2:
        return
    whole = subject.embed(subject.shown(subject.modalities))
    everyone = tuple(range(whole.shape[0]))
    without_one = [tuple(m for m in subject.modalities if m != a) for a in subject.modalities]
    for kept in dict.fromkeys([*without_one, subject.modalities[-1:]]):
        lost = tuple(m for m in subject.modalities if m not in kept)
        words = " and ".join(lost)
        without = subject.embed(subject.shown(kept))
        if without.shape[1] != whole.shape[1]:
            raise subject.broken(
                f"descriptors have {without.shape[1]} numbers without {words}, and "
                f"{whole.shape[1]} with them",
                "the same length, so that queries and galleries of different modalities can be "
                "compared",
                "let an absent modality give zeros where its numbers would be",
            )
        masked = subject.shown(subject.modalities, absent=dict.fromkeys(lost, everyone))
        _same(subject, subject.embed(masked), without, f"{words} absent image by image")
    _only_its_own_sample(subject, whole)


def _only_its_own_sample(subject: Subject, whole: torch.Tensor) -> None:
    """One absent image changes its own sample's descriptor, and is not looked at."""
    absent = subject.modalities[-1]
    batch = subject.shown(subject.modalities, absent={absent: (0,)})
    found = subject.embed(batch)
    _same(subject, found[1:], whole[1:], f"the {absent} image of another sample absent")
    without = subject.embed(subject.shown(subject.modalities[:-1]))
    _same(subject, found[:1], without[:1], f"the {absent} image of one sample alone absent")


def refuses_what_it_cannot_take(subject: Subject) -> None:
    """Under the policy `none` the harness ends before training where a modality is absent."""
    if subject.info.missing != "none" or len(subject.modalities) < 2:
        return
    plugins = load_plugins()
    plugins.methods[subject.info.name] = subject.info
    plugins.protocols[_NAME] = Protocol(
        name=_NAME,
        title="a modality missing at test",
        query_modalities=subject.modalities[:-1],
        gallery_modalities=subject.modalities[:-1],
    )
    try:
        plan_run(subject.info.name, protocol=_NAME, plugins=plugins)
    except ProtocolError:
        return
    raise subject.broken(
        "a run with a modality missing at test is planned under the policy 'none'",
        "a ProtocolError before anything is trained",
        "report this: the harness refuses such runs itself",
    )


def _same(subject: Subject, found: torch.Tensor, wanted: torch.Tensor, words: str) -> None:
    far = float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-12))
    if far > _CLOSE:
        raise subject.broken(
            f"with {words}, descriptors differ by {far:.1e} (relative) from what they should be",
            "an absent image to count the same, whether the whole side lacks it or one sample, "
            "and for its own sample only",
            "decide by batch.present and by the keys of batch.images alike; a key that is not "
            "there stands for rows that are all absent",
        )
