"""What a run is to be: settled and checked from the words of a command, before anything heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.hashing import code_digest
from harness.base.parallel import world
from harness.data.captioned import as_shown_to
from harness.data.lint import Finding, lint, stop_on_errors
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.runs import sides
from harness.spec.dataset import Split
from harness.spec.method import MethodInfo
from harness.spec.modality import Modality
from harness.spec.plugins import Plugins, load_plugins, source_of
from harness.spec.protocol import BoundProtocol, Side
from harness.spec.resolve import Resolved, default_recipe, from_record, resolve

# The folders of the core whose code a run's numbers depend on, beside the method's own.
_DECIDING = ("training", "data", "corruptions")
DEFAULT_OUT = Path("runs")
DEFAULT_SEED = 40
"""The seed in the README of IEEE's authors."""


class Ground(NamedTuple):
    """What many runs can share: an open data set under a protocol, linted."""

    data: OpenDataset
    protocol: BoundProtocol
    findings: tuple[Finding, ...]
    """What linting found; only warnings get this far."""


@dataclass(frozen=True)
class Plan:
    """A run that is settled and checked, before anything heavy."""

    info: MethodInfo
    resolved: Resolved
    data: OpenDataset
    protocol: BoundProtocol
    out: Path
    device: str
    """As asked for: auto, cpu or cuda."""
    findings: tuple[Finding, ...]
    """What linting found; only warnings get this far."""
    learnt_cameras: tuple[int, ...] | None = None
    """Those of weights that were trained elsewhere; None: those of this data's train split."""
    reproduces: str = ""
    """The id of the run that is made again; empty for a run of its own."""

    @property
    def cameras(self) -> tuple[int, ...]:
        """The cameras that the model learns, or learnt, in the order in which they are counted."""
        if self.learnt_cameras is not None:
            return self.learnt_cameras
        return sides.cameras_of(self.data, self.protocol)

    @property
    def cameras_at_test(self) -> bool:
        """Whether the method is told the cameras of test images."""
        return self.info.is_told_cameras(self.resolved.config)

    def folder(self, seed: int) -> Path:
        """Where the run of a seed is kept."""
        return self.out / self.resolved.recipe.hash[:12] / str(seed)

    def modalities(self, side: Side) -> tuple[Modality, ...]:
        """What the train, query or gallery side shows the method, see `sides.modalities_of`."""
        return sides.modalities_of(self.info, self.data.card, self.protocol, side)

    @property
    def tested(self) -> tuple[tuple[Modality, ...], tuple[Modality, ...]]:
        """The modalities of the query side and of the gallery side."""
        return self.modalities("query"), self.modalities("gallery")

    def shown(self, split: Split, side: Side) -> str:
        """A key of what a model sees of a side: the same list, modalities and changes."""
        return sides.shown(self.info, self.data.card, self.protocol, split, side)

    def require_policy(self) -> None:
        """Refuse a method that cannot take what it would be shown at test.

        See `sides.require_policy` on absent modalities, `sides.require_cameras` on cameras,
        `sides.require_text` on captions that are kept.
        """
        sides.require_policy(self.info, self.data, self.protocol)
        sides.require_cameras(
            self.info, self.resolved.config, self.data, self.protocol, self.cameras
        )
        sides.require_text(self.info, self.protocol)


def plan_run(
    method: str,
    *,
    dataset: str | None = None,
    protocol: str | None = None,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    out: Path = DEFAULT_OUT,
    device: str = "auto",
    plugins: Plugins | None = None,
    learnt_cameras: tuple[int, ...] | None = None,
    written: Mapping[str, Any] | None = None,
    training: bool = True,
) -> Plan:
    """Find everything, check the data set's names and lint the protocol; torch stays away.

    Args:
        learnt_cameras: Of weights that are there already, see `Plan`.
        written: The recipe that such weights carry, taken where none is named.
        training: Whether anything will be trained; without it, the train split need not be there.

    Raises:
        HarnessError: Whatever is wrong, before any training.
    """
    known = plugins or load_plugins()
    info = known.method(method)
    if protocol is not None:
        known.protocol(protocol)
    ground = prepare(open_dataset(dataset, known), protocol, known, training)
    return plan_on(
        ground,
        info,
        recipe=recipe,
        changes=changes,
        out=out,
        device=device,
        learnt_cameras=learnt_cameras,
        written=written,
    )


def prepare(
    data: OpenDataset, protocol: str | None, plugins: Plugins, training: bool = True
) -> Ground:
    """Check a data set's names and lint the protocol: once for any number of methods.

    Raises:
        HarnessError: No such protocol, or a fault of the data under it.
    """
    bound = plugins.protocol(protocol or data.card.protocol).bind(data.card)
    data = held_out(data, bound.held_out)
    findings = tuple(lint(data, bound, training=training))
    stop_on_errors(findings)
    return Ground(data, bound, findings)


def plan_on(
    ground: Ground,
    info: MethodInfo,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    out: Path = DEFAULT_OUT,
    device: str = "auto",
    learnt_cameras: tuple[int, ...] | None = None,
    written: Mapping[str, Any] | None = None,
) -> Plan:
    """Settle the recipe of one method on data that is open already.

    Raises:
        HarnessError: A recipe that does not fit, or a method that cannot take the protocol.
    """
    data, bound, findings = ground
    data = as_shown_to(info, data)
    if recipe is None and written is not None:
        resolved = from_record(info, written, changes)
    else:
        name = recipe or default_recipe(info, data.card.name, data.card.embedded)
        resolved = resolve(info, name, data.label, bound.name, changes)
    plan = Plan(info, resolved, data, bound, out, device, findings, learnt_cameras)
    plan.require_policy()
    return plan


def run_inputs(plan: Plan, seed: int, device: str, processes: int | None = None) -> dict[str, Any]:
    """Everything that decides a run's numbers, by name.

    Args:
        plan: The run.
        seed: Of everything drawn.
        device: cpu or cuda.
        processes: How many do it together; by default those that torchrun started here.
    """
    size = processes or world().size
    # Sums over several processes are added in another order than by one, as on another device.
    several = {"processes": size} if size > 1 else {}
    return {
        "recipe": plan.resolved.recipe.hash,
        "data": plan.data.data_hash,
        "protocol": plan.protocol.hash,
        "seed": seed,
        "code": code_digest(deciding_code(plan.info)),
        "device": device,
        **several,
    }


def deciding_code(info: MethodInfo) -> list[Path]:
    """The folders and files whose code decides a run's numbers: of the core, and the method's."""
    core = Path(__file__).parents[1]
    own = (source_of(target) for target in (info.target, *info.uses))
    return [*(core / folder for folder in _DECIDING), *own]
