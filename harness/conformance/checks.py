"""What every method must do, one function for each promise; all raise PluginError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from harness.base.accelerator import reference_numerics
from harness.base.errors import HarnessError
from harness.conformance.absent import absent_modalities, refuses_what_it_cannot_take
from harness.conformance.pairs import mismatched_pairs
from harness.conformance.parts import computed_in_parts
from harness.conformance.subject import Subject
from harness.spec.method import Batch, MethodInfo
from harness.spec.resolve import recipe_files, resolve
from harness.training.checkpoint import load_into, read_weights, save_weights
from harness.training.loop import loss_terms, total_loss

_CLOSE = 1e-4
"""Relative to the largest number: float32 sums depend on the size of the batch that much."""
_REACHED = 0.9
"""Part of the parameters with a gradient that must be other than zero: some rightly are zero, as
a bias in front of a batch normalisation."""


def declaration(subject: Subject) -> None:
    """The target loads, the default config and every recipe are valid."""
    assert subject.method
    subject.info.config()
    for name in recipe_files(subject.info):
        resolve(subject.info, name, "anything", "full")


def any_modalities(subject: Subject) -> None:
    """It builds, learns and embeds for one modality, for two, and so on."""
    for modalities in subject.subsets:
        step = subject.trained(modalities)
        if not any(p.requires_grad for p in step.model.parameters()):
            raise subject.broken(
                f"nothing to train when built for {'+'.join(modalities)}",
                "parameters that require a gradient",
                "build a model for exactly the modalities of `data.modalities`",
            )
        subject.embed(subject.shown(modalities), modalities)


def finite_losses(subject: Subject) -> None:
    """A step has finite scalar terms."""
    for name, term in subject.trained().terms.items():
        if not torch.isfinite(term):
            raise subject.broken(
                f"the loss term {name!r} is {float(term)} on a new model",
                "finite terms",
                "look for a logarithm or a division that can see zero",
            )


def reaching_gradients(subject: Subject) -> None:
    """Finite gradients reach nearly all parameters, in the second step, taken as the next epoch's.

    Not in the first: many networks start the last layer of each block at zero, which hides the
    layers before it for one step, and some losses join in after an epoch.
    """
    model = subject.copy()
    model.zero_grad()
    subject.start_epoch(model, 1)
    batch = subject.labelled(subject.modalities, seed=1)
    total_loss(loss_terms(subject.method, model, batch)).backward()  # type: ignore[no-untyped-call]
    explained = [re.compile(pattern) for pattern in subject.explained]
    moving = {
        name: p.grad
        for name, p in model.named_parameters()
        if p.requires_grad and not any(pattern.search(name) for pattern in explained)
    }
    cut_off = [name for name, grad in moving.items() if grad is None]
    if cut_off:
        raise subject.broken(
            f"no gradient reaches {len(cut_off)} of {len(moving)} parameters, such as {cut_off[0]}",
            "a loss in which every trained parameter has a part",
            "leave unused ones out, freeze them (requires_grad_(False)), or explain them to "
            "check_method(..., explained={pattern: reason})",
        )
    bad = [k for k, g in moving.items() if g is not None and not g.isfinite().all()]
    if bad:
        raise subject.broken(
            f"the gradient of {len(bad)} parameters is not finite, such as {bad[0]}",
            "finite gradients",
            "look for a square root or a norm at zero, whose slope is infinite",
        )
    reached = [k for k, g in moving.items() if g is not None and bool(g.any())]
    if len(reached) < _REACHED * len(moving):
        lost = next(k for k in moving if k not in reached)
        raise subject.broken(
            f"only {len(reached)} of {len(moving)} parameters have a gradient other than zero; "
            f"{lost} has none",
            f"at least {_REACHED:.0%}",
            "see whether a branch is switched off or detached",
        )


def independent_samples(subject: Subject) -> None:
    """A descriptor does not depend on the other samples of the batch, nor is the batch changed."""
    batch = subject.shown(subject.modalities)
    kept = {m: x.clone() for m, x in batch.images.items()}
    together = subject.embed(batch)
    changed = [m for m, x in batch.images.items() if not torch.equal(x, kept[m])]
    if changed:
        raise subject.broken(
            f"embed() changes the {' and '.join(changed)} images it is given",
            "a batch left as it was",
            "work on a copy; look for operations in place",
        )
    n = len(batch.pids)
    alone = torch.cat([subject.embed(rows_of(batch, [i])) for i in range(n)])
    backwards = subject.embed(rows_of(batch, list(range(n))[::-1])).flip(0)
    for other, words in ((alone, "alone"), (backwards, "in another order")):
        far = difference(other, together)
        if far > _CLOSE:
            raise subject.broken(
                f"descriptors differ by {far:.1e} (relative) when samples are embedded {words}",
                "descriptors that each depend on their own sample only",
                "use running statistics at test, and no attention across samples",
            )


def repeatable(subject: Subject) -> None:
    """The same seed gives the same model, the same step and the same descriptors, bit by bit."""
    one, two = subject.trained(), subject.step(subject.modalities)
    differing = [k for k, v in one.before.items() if not torch.equal(v, two.before[k])]
    words = "a new model"
    if not differing:
        after = two.model.state_dict()
        differing = [k for k, v in one.model.state_dict().items() if not torch.equal(v, after[k])]
        words = "a step"
    if differing:
        raise subject.broken(
            f"{words} of the same seed differs in {len(differing)} tensors, such as {differing[0]}",
            "the same numbers for the same seed",
            "draw from torch's global generator only, and keep no state outside the model",
        )
    batch = subject.shown(subject.modalities)
    if not torch.equal(subject.embed(batch), subject.embed(batch)):
        raise subject.broken(
            "embedding the same batch twice gives different descriptors",
            "the same numbers",
            "switch dropout and sampling off in eval mode",
        )


def saved_and_loaded(subject: Subject) -> None:
    """Weights written and read into a new model give the same descriptors, bit by bit."""
    fresh = subject.build(subject.modalities, seed=1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(path, subject.trained().model, {})
        load_into(fresh, read_weights(path)[0], str(path))
    batch = subject.shown(subject.modalities)
    if not torch.equal(subject.embed_by(fresh, batch), subject.embed(batch)):
        raise subject.broken(
            "descriptors change when weights are saved and loaded into a new model",
            "the same descriptors, bit by bit",
            "register everything that decides them as a parameter or a buffer",
        )


def small_batches(subject: Subject) -> None:
    """One image, one identity or one image of each: finite losses, or a clear error."""
    for pids, words in (
        ((0,), "one identity of one image"),
        ((0, 0, 0), "one identity"),
        ((0, 1, 2), "one image of each identity"),
    ):
        model = subject.copy()
        batch = subject.labelled(subject.modalities, pids)
        try:
            total = total_loss(loss_terms(subject.method, model, batch)).detach()
        except HarnessError:
            continue
        except Exception as error:
            raise subject.broken(
                f"a batch of {words} ends in {type(error).__name__}: {error}",
                "finite losses, or a HarnessError that says what to do",
                "let a term without a pair be 0, or raise harness.base.errors.TrainingError",
            ) from error
        if not torch.isfinite(total):
            raise subject.broken(
                f"the loss of a batch of {words} is {float(total)}",
                "a finite loss",
                "let a term without a pair be 0",
            )


def declared_columns(subject: Subject) -> None:
    """Columns said to come from one modality alone do not move with the others."""
    hook = getattr(subject.method, "modality_columns", None)
    columns = {} if hook is None else hook(subject.trained().model)
    batch = subject.shown(subject.modalities)
    whole = subject.embed(batch)
    taken = torch.zeros(whole.shape[1], dtype=torch.int64)
    other = subject.shown(subject.modalities, seed=1)
    for modality, (start, stop) in columns.items():
        taken[start:stop] += 1
        own = batch._replace(images=other.images | {modality: batch.images[modality]})
        if batch.text is not None and other.text is not None:
            own = own._replace(text=other.text | {modality: batch.text[modality]})
        inside = 0 <= start < stop <= whole.shape[1]
        # Their length may follow the others' where the whole descriptor is normalised.
        moved, kept = (normalize(d[:, start:stop]) for d in (subject.embed(own), whole))
        if not inside or difference(moved, kept) > _CLOSE:
            raise subject.broken(
                f"columns {start} to {stop} of {whole.shape[1]} are said to be {modality} alone, "
                "and change with the other images",
                "columns inside the descriptor that one modality decides",
                "mend modality_columns()",
            )
    if (taken > 1).any():
        raise subject.broken(
            "modality_columns() gives some columns to two modalities",
            "columns that do not overlap",
            "mend modality_columns()",
        )


CHECKS: dict[str, Callable[[Subject], None]] = {
    check.__name__: check
    for check in (
        declaration,
        any_modalities,
        finite_losses,
        reaching_gradients,
        independent_samples,
        repeatable,
        saved_and_loaded,
        small_batches,
        absent_modalities,
        refuses_what_it_cannot_take,
        mismatched_pairs,
        declared_columns,
        computed_in_parts,
    )
}
"""Every check by its name, in the order to run them."""


def check_method(
    info: MethodInfo,
    config: Mapping[str, Any] | None = None,
    size: tuple[int, int] = (64, 32),
    explained: Mapping[str, str] | None = None,
    device: str | torch.device = "cpu",
) -> None:
    """Run every check on a method; what each takes is said at `Subject`.

    On a GPU everything is computed in float32, as in a run in mode `exact`.

    Raises:
        PluginError: The first promise that is not kept: what was seen, what was expected, what
            to do.
        HarnessError: The method's target or one of its recipes does not load.
        Exception: Whatever the method raises itself, such as for a set of modalities it forgot.
    """
    subject = Subject(info, config, size, explained, device)
    with reference_numerics():
        for check in CHECKS.values():
            check(subject)


def rows_of(batch: Batch, rows: list[int]) -> Batch:
    """A batch of some of the samples."""
    return Batch(
        {m: x[rows] for m, x in batch.images.items()},
        {m: x[rows] for m, x in batch.present.items()},
        batch.pids[rows],
        None if batch.camids is None else batch.camids[rows],
        text=None if batch.text is None else {m: ids[rows] for m, ids in batch.text.items()},
    )


def difference(one: Tensor, two: Tensor) -> float:
    """The largest difference, relative to the largest number."""
    return float((one - two).abs().max() / two.abs().max().clamp(min=1e-12))
