"""The method under check: its models, made once and shared by the checks, and batches for it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from harness.base.errors import PluginError
from harness.runs.told import prompt_of
from harness.spec.method import Batch, DataInfo, Method, MethodInfo
from harness.spec.modality import Modality, in_order
from harness.spec.plugins import load_target
from harness.spec.recipe import Optimiser
from harness.spec.text import START, framed
from harness.training.loop import loss_terms, total_loss
from harness.training.optimiser import make_optimiser

CLASSES = 5
CAMERAS = 3
_WORDS = 5
"""Ids of a caption."""
PIDS = (0, 0, 1, 1, 2, 2)
_QUICK = Optimiser(name="sgd", lr=1e-3, momentum=0.0, nesterov=False, weight_decay=0.0)


class Step(NamedTuple):
    """A model after one step of training, and what the step saw."""

    model: nn.Module
    terms: dict[str, Tensor]
    before: dict[str, Tensor]
    """The state before the step."""


class Subject:
    """A method under check.

    Args:
        info: Its declaration.
        config: Options other than the defaults, such as a small backbone; the checks hold for
            any, so the quickest will do.
        size: (height, width) of the images; a method with `input_size` gets that.
        explained: Parameters that rightly have no gradient: a pattern of their names (as for
            `re.search`), and the reason.
        device: Where models and batches are, such as `cuda`.
    """

    def __init__(
        self,
        info: MethodInfo,
        config: Mapping[str, Any] | None = None,
        size: tuple[int, int] = (64, 32),
        explained: Mapping[str, str] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.info = info
        self.device = torch.device(device)
        self.config = info.config.model_validate(dict(config or {}))
        self.height, self.width = info.input_size or size
        self.explained = dict(explained or {})
        self._trained: dict[tuple[Modality, ...], Step] = {}

    @cached_property
    def method(self) -> Method:
        """The class of the method, made."""
        found: Method = load_target(self.info.target, f"the method {self.info.name}")()
        lacking = [n for n in ("build", "loss", "embed") if not hasattr(found, n)]
        if lacking:
            raise self.broken(
                f"{self.info.target} has no {' and no '.join(lacking)}",
                "a class with build(config, data), loss(model, batch) and embed(model, batch)",
                "add what is missing; harness/spec/method.py says what each takes and gives",
            )
        return found

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """All modalities that the method declares."""
        return in_order(self.info.modalities)

    @property
    def subsets(self) -> list[tuple[Modality, ...]]:
        """One set of each size it may be built for: the last ones, since RGB is taken for granted
        more often than any other.
        """
        return [self.modalities[-count:] for count in range(1, len(self.modalities) + 1)]

    def build(self, modalities: tuple[Modality, ...], seed: int = 0) -> nn.Module:
        """A new model."""
        torch.manual_seed(seed)
        data = DataInfo(CLASSES, modalities, self.height, self.width, "none", cameras=CAMERAS)
        # Built where a run builds it, so that its weights are those of any device.
        return self.method.build(self.config, data).to(self.device)

    def labelled(
        self, modalities: tuple[Modality, ...], pids: tuple[int, ...] = PIDS, seed: int = 0
    ) -> Batch:
        """Random images of these identities, as in training."""
        batch = self.shown(modalities, len(pids), seed=seed)
        labels = torch.tensor(pids, device=self.device)
        return batch._replace(pids=labels, camids=_camids(len(pids), self.device))

    def shown(
        self,
        modalities: tuple[Modality, ...],
        count: int = 3,
        absent: Mapping[Modality, tuple[int, ...]] | None = None,
        seed: int = 0,
    ) -> Batch:
        """Random images of hidden identities, as at test.

        Args:
            modalities: The keys of the batch.
            count: Of images.
            absent: Rows without an image, by modality: zero, and not present.
            seed: Of the images; those of a modality do not depend on which others there are.
        """
        images, present = {}, {}
        for modality in modalities:
            draw = torch.Generator().manual_seed(100 * seed + self.modalities.index(modality))
            there = torch.ones(count, dtype=torch.bool)
            there[list((absent or {}).get(modality, ()))] = False
            whole = torch.randn(count, 3, self.height, self.width, generator=draw)
            images[modality] = (whole * there[:, None, None, None]).to(self.device)
            present[modality] = there.to(self.device)
        told = self.info.is_told_cameras(self.config)
        hidden = torch.full((count,), -1, device=self.device)
        camids = _camids(count, self.device) if told else None
        return Batch(images, present, hidden, camids, text=self._text(present, seed))

    def nothing_said(self, modality: Modality) -> list[int]:
        """The ids of an image without a caption."""
        return framed((), prompt_of(self.method, self.config, modality))

    def _text(self, present: dict[Modality, Tensor], seed: int) -> dict[Modality, Tensor] | None:
        """Random captions, for a method that is given some; an absent image has an empty one."""
        if not self.info.is_told_text:
            return None
        found = {}
        for modality, there in present.items():
            draw = random.Random(100 * seed + self.modalities.index(modality))
            prompt = prompt_of(self.method, self.config, modality)
            words = [[draw.randrange(1, START) for _ in range(_WORDS)] for _ in there]
            said = [
                framed(own if here else (), prompt)
                for own, here in zip(words, there.tolist(), strict=True)
            ]
            found[modality] = torch.tensor(said, device=self.device)
        return found

    def step(self, modalities: tuple[Modality, ...], seed: int = 0) -> Step:
        """A new model, trained for one step as the harness's loop does it."""
        model = self.build(modalities, seed)
        before = {k: v.detach().clone() for k, v in model.state_dict().items()}
        hook = getattr(self.method, "lr_scales", None)
        optimiser = make_optimiser(_QUICK, model, [] if hook is None else hook(model))
        torch.manual_seed(seed)
        model.train()
        self.start_epoch(model, 0)
        terms = loss_terms(self.method, model, self.labelled(modalities))
        total_loss(terms).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return Step(model, {k: v.detach() for k, v in terms.items()}, before)

    def trained(self, modalities: tuple[Modality, ...] | None = None) -> Step:
        """The model of one step for these modalities, made once; not to be changed."""
        wanted = modalities or self.modalities
        if wanted not in self._trained:
            self._trained[wanted] = self.step(wanted)
        return self._trained[wanted]

    def copy(self) -> nn.Module:
        """A copy of the trained model that a check may change."""
        return deepcopy(self.trained().model).train()

    def embed(self, batch: Batch, modalities: tuple[Modality, ...] | None = None) -> Tensor:
        """Descriptors by the trained model."""
        return self.embed_by(self.trained(modalities).model, batch)

    def embed_by(self, model: nn.Module, batch: Batch) -> Tensor:
        """Descriptors as the harness asks for them: in eval mode, finite, one for each sample."""
        model.eval()
        with torch.no_grad():
            found = self.method.embed(model, batch)
        n = len(batch.pids)
        if found.ndim != 2 or found.shape[0] != n:
            raise self.broken(
                f"embed() gave shape {tuple(found.shape)} for {n} samples",
                f"({n}, d), a descriptor for each sample",
                "mend the method's embed()",
            )
        if not torch.isfinite(found).all():
            raise self.broken(
                f"embed() gave NaN or infinite numbers for {'+'.join(batch.images)}",
                "finite numbers for any images",
                "look for a division or a logarithm that an empty or constant image makes zero",
            )
        return found

    def start_epoch(self, model: nn.Module, epoch: int = 0) -> None:
        """Call the method's hook, if it has one."""
        hook = getattr(self.method, "start_epoch", None)
        if hook is not None:
            hook(model, epoch)

    def broken(self, seen: str, expected: str, do: str) -> PluginError:
        """The error of a check that did not hold."""
        return PluginError(f"{self.info.name}: {seen}", expected, do)


def _camids(count: int, device: torch.device) -> Tensor:
    return torch.arange(count, device=device) % CAMERAS
