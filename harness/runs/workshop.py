"""A plan's method with its data in reach, as every stage of a run needs it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from harness.base.errors import CheckpointError, PluginError
from harness.base.parallel import main_first
from harness.data.arrays import ImageArrays, decode
from harness.evidence.features_file import Side
from harness.runs import cost
from harness.runs.plan import Plan
from harness.runs.told import cameras_of, texts_of
from harness.spec.dataset import SPLITS
from harness.spec.method import DataInfo, Method
from harness.spec.plugins import load_target
from harness.training.batches import Batches
from harness.training.checkpoint import load_into, read_weights
from harness.training.memory import keep_freed_memory
from harness.training.mode import memory_format
from harness.training.numerics import set_numerics


@dataclass
class Workshop:
    """A plan's method with its data in reach; the model is built when a stage needs it."""

    plan: Plan
    device: torch.device
    arrays: ImageArrays
    """What is tested on; whole, train images among them."""
    method: Method
    batches: Batches
    """Of `arrays`."""
    model: nn.Module | None = field(default=None)
    sides: dict[str, Side] = field(default_factory=dict)
    """Descriptors made already, so that many protocols embed a shared side once."""
    embedded: cost.Throughput = field(default_factory=cost.Throughput)

    def training_batches(self) -> Batches:
        """The batches of training, of an array of their own where they are resized otherwise."""
        recipe = self.plan.resolved.recipe.input
        if recipe.train_resize == "bilinear":
            return self.batches
        size, split = (recipe.height, recipe.width), self.plan.protocol.train_split
        arrays = main_first(lambda: decode(self.plan.data, *size, recipe.train_resize, (split,)))
        cameras = cameras_of(self.plan, arrays)
        texts = texts_of(self.plan, arrays, self.method, aloud=False)
        return replace(self.batches, arrays=arrays, cameras=cameras, texts=texts)

    def build(self, pretrained: str, classes: int | None = None) -> nn.Module:
        """A new model on the device."""
        recipe = self.plan.resolved.recipe
        about = DataInfo(
            classes=classes or self._classes(),
            modalities=self.plan.modalities("train"),
            height=recipe.input.height,
            width=recipe.input.width,
            pretrained=pretrained,
            mean=recipe.input.mean,
            std=recipe.input.std,
            cameras=len(self.plan.cameras),
        )
        model = self.method.build(self.plan.resolved.config, about)
        return model.to(self.device).to(memory_format=memory_format(recipe))

    def _classes(self) -> int:
        """Identities of the train split.

        Raises:
            CheckpointError: The split is not here; weights of elsewhere need it to be built.
        """
        data = self.plan.data
        if data.only_test:
            raise CheckpointError(
                seen=f"the weights do not say on how many identities they were trained, and "
                f"{data.root} has no train split to count them in",
                expected="their number",
                do="say it: --classes N",
            )
        return len({s.pid for s in data.samples(self.plan.protocol.train_split)})

    def trained(self, weights: Path) -> nn.Module:
        """The model of this run: the one just trained, or the one in its weights file."""
        if self.model is None:
            self.model = self.build(pretrained="none")
            load_into(self.model, read_weights(weights)[0], str(weights))
        return self.model


def open_workshop(plan: Plan, device: torch.device) -> Workshop:
    """Decode the images and load the method's class.

    Raises:
        ProtocolError: The method cannot take what it would be shown at test.
        PluginError: The class lacks a function.
    """
    plan.require_policy()
    recipe = plan.resolved.recipe
    set_numerics(recipe, device)
    keep_freed_memory()
    size = (recipe.input.height, recipe.input.width)
    there = ("query", "gallery") if plan.data.only_test else SPLITS
    arrays = main_first(lambda: decode(plan.data, *size, splits=there))
    who = f"the method {plan.info.name}"
    method = load_target(plan.info.target, who)()
    lacking = [name for name in ("build", "loss", "embed") if not hasattr(method, name)]
    if lacking:
        raise PluginError(
            seen=f"{plan.info.target} has no {' and no '.join(lacking)}",
            expected="a class with build(config, data), loss(model, batch), embed(model, batch)",
            do="add what is missing; harness/spec/method.py says what each takes and gives",
        )
    cameras, texts = cameras_of(plan, arrays), texts_of(plan, arrays, method)
    batches = Batches(arrays, recipe, device, cameras, plan.cameras_at_test, texts)
    return Workshop(plan, device, arrays, method, batches)
