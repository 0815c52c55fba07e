"""Where descriptors come from: a trained model, or a features file, under any protocol."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import FeaturesError, ProtocolError
from harness.data.lint import lint, stop_on_errors
from harness.data.opened import OpenDataset
from harness.evidence.features_file import Side, read_features
from harness.spec.modality import MODALITIES, Modality
from harness.spec.protocol import BoundProtocol, Change, Protocol

if TYPE_CHECKING:
    from harness.runs.plan import Plan
    from harness.runs.workshop import Workshop


@dataclass
class ModelSource:
    """A trained model; it is loaded, and the images decoded, when first needed.

    Attributes:
        plan: How it was trained, protocol and all.
        weights: Its file.
        classes: Identities it was trained on; None asks the file, then the data set.
        name: What to call it in results.
        recipe_from: What the recipe, and with it the input size, was taken from.
    """

    plan: Plan
    weights: Path
    classes: int | None
    name: str
    recipe_from: str
    _shop: Workshop | None = field(default=None)

    @property
    def data(self) -> OpenDataset:
        """The data set it is scored on."""
        return self.plan.data

    @property
    def about(self) -> dict[str, Any]:
        """What a result says beside the numbers."""
        recipe = self.plan.resolved.recipe
        return {
            "method": self.plan.info.name,
            "missing_policy": self.plan.info.missing,
            "weights": str(self.weights.resolve()),
            "recipe": recipe.name,
            "recipe_from": self.recipe_from,
            "input": {"height": recipe.input.height, "width": recipe.input.width},
        }

    def settle(self, protocol: Protocol) -> BoundProtocol:
        """The protocol on this data set.

        Raises:
            ProtocolError: It does not apply to the set, wants another training, or leaves out a
                modality that the method cannot do without.
        """
        bound = protocol.bind(self.data.card)
        plan = replace(self.plan, protocol=bound)
        if bound.held_out != self.plan.protocol.held_out:
            raise ProtocolError(
                seen=f"{bound.name} and {self.plan.protocol.name}, under which this model was "
                "trained, hold out different train identities",
                expected="a protocol with the same identities in train",
                do=f"train it: harness run --method {self.plan.info.name} --protocol {bound.name}",
            )
        wanted, had = plan.modalities("train"), self.plan.modalities("train")
        if wanted != had or bound.train_split != self.plan.protocol.train_split:
            name, method = bound.name, self.plan.info.name
            raise ProtocolError(
                seen=f"{name} is trained on {'+'.join(wanted)} of {bound.train_split}, this model "
                f"on {'+'.join(had)} of {self.plan.protocol.train_split}",
                expected="a protocol that differs from the model's own in its test alone",
                do=f"train it: harness run --method {method} --protocol '{name}'",
            )
        plan.require_policy()
        stop_on_errors(lint(self.data, bound, training=False))
        return bound

    def sides(self, bound: BoundProtocol) -> tuple[Side, Side]:
        """Query and gallery descriptors."""
        from harness.runs.pipeline import both_sides

        shop = replace(self._opened(bound), plan=replace(self.plan, protocol=bound))
        query, gallery = both_sides(shop, self.weights)
        return query, gallery or query

    def _opened(self, bound: BoundProtocol) -> Workshop:
        from harness.runs.workshop import open_workshop
        from harness.training.checkpoint import load_into, read_weights
        from harness.training.device import choose_device

        if self._shop is None:
            state, about = read_weights(self.weights)
            device = choose_device(self.plan.device)
            shop = open_workshop(replace(self.plan, protocol=bound), device)
            translate = getattr(shop.method, "import_state", None)
            shop.model = shop.build("none", self.classes or about.get("classes"))
            load_into(shop.model, translate(state) if translate else state, self.weights.name)
            self._shop = shop
        return self._shop


@dataclass
class FeaturesSource:
    """A features file of any program.

    Attributes:
        path: The file.
        data: Whose images it describes.
        alone: One protocol was asked for by name, so that the file is taken as made under it.
    """

    path: Path
    data: OpenDataset
    alone: bool
    _parts: dict[Modality, tuple[Side, Side]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call it in results."""
        return str(self.path)

    @property
    def about(self) -> dict[str, Any]:
        """What a result says beside the numbers: nothing is known of the method."""
        return {}

    def settle(self, protocol: Protocol) -> BoundProtocol:
        """The protocol on this data set.

        Raises:
            ProtocolError: It does not apply to the set, or no query has a match.
        """
        bound = protocol.bind(self.data.card)
        if bound.held_out is not None:
            raise ProtocolError(
                seen=f"{bound.name} is about train identities, {self.path.name} about test images",
                expected="a protocol over the test splits",
                do="score a run that was trained under it: harness evaluate --run ID",
            )
        found = lint(self.data, bound, training=False)
        # Whoever made the file chose the training identities; ours are not in question.
        stop_on_errors([f for f in found if f.rule != "identity-leak"])
        return bound

    def sides(self, bound: BoundProtocol) -> tuple[Side, Side]:
        """Query and gallery descriptors: one array for each modality is put together as asked.

        Raises:
            FeaturesError: The file cannot say what the protocol asks; see `_require_said`.
        """
        held = _arrays_in(self.path)
        by_modality = not held & {"features", "query_features"} and bool(held & set(MODALITIES))
        self._require_said(bound, held, by_modality)
        query = self.data.samples(bound.query_split)
        gallery = self.data.samples(bound.gallery_split)
        if not by_modality:
            sides = bound.query_modalities, bound.gallery_modalities
            return read_features(self.path, query, gallery, *sides)
        for m in MODALITIES:
            if m in bound.query_modalities + bound.gallery_modalities and m not in self._parts:
                self._parts[m] = read_features(self.path, query, gallery, (m,), (m,))
        return self._joined(bound, 0), self._joined(bound, 1)

    def _joined(self, bound: BoundProtocol, which: int) -> Side:
        """One side: its modalities' arrays beside each other, what is left out as zeros."""
        modalities = bound.side("gallery" if which else "query")
        parts = [self._parts[m][which] for m in modalities]
        found: list[NDArray[np.float32]] = [part.features for part in parts]
        if bound.random_missing is not None:
            kept = [bound.random_missing.kept(name, modalities) for name in parts[0].names]
            for i, m in enumerate(modalities):
                there = np.array([m in k for k in kept])
                found[i] = found[i] * there[:, None]
        return parts[0]._replace(features=np.concatenate(found, axis=1))

    def _require_said(self, bound: BoundProtocol, held: set[str], by_modality: bool) -> None:
        one_array = "features" in held
        differ = bound.query_modalities != bound.gallery_modalities or bound.change(
            "query"
        ) != bound.change("gallery")
        if one_array and differ:
            raise FeaturesError(
                seen=f"{self.path} has one array, features, and under {bound.name} the query side "
                "is made of other images than the gallery side",
                expected=f"an array for each of {', '.join(MODALITIES)}, or query_features and "
                "gallery_features with query_names, gallery_names and their pids",
                do="save the features of each modality under its own name",
            )
        plain = set(bound.query_modalities) == set(self.data.card.modalities) and not differ
        whole = plain and bound.change("query") == Change()
        if not self.alone and not whole and (not by_modality or bound.corruption is not None):
            raise FeaturesError(
                seen=f"{self.path} does not say that its features were made under {bound.name}",
                expected=f"an array for each of {', '.join(MODALITIES)}; for corrupted images, a "
                "file of their own",
                do=f"if they were made so, name this protocol alone: --protocol '{bound.name}'",
            )


def _arrays_in(path: Path) -> set[str]:
    """The names of a file's arrays; empty where it cannot be read, which reading will explain."""
    import zipfile

    from safetensors import SafetensorError, safe_open

    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="np") as file:
                return set(file.keys())
        with np.load(path, allow_pickle=False) as found:
            return set(found.files)
    except (
        AttributeError,
        TypeError,
        ValueError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
        SafetensorError,
    ):
        return set()
