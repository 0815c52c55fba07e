"""What a plan's train, query and gallery sides show to a method; imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.dataset import Split
from harness.errors import ProtocolError
from harness.hashing import digest
from harness.modality import Modality, in_order
from harness.protocol import Side

if TYPE_CHECKING:
    from harness.run import Plan


def modalities_of(plan: Plan, side: Side) -> tuple[Modality, ...]:
    """The modalities of the protocol's train, query or gallery side that can be had.

    Raises:
        ProtocolError: The data set or the method has none of them.
    """
    wanted = plan.protocol.side(side)
    found = set(wanted) & set(plan.data.card.modalities) & set(plan.info.modalities)
    if not found:
        raise ProtocolError(
            seen=f"the {side} side of {plan.protocol.name} has {'+'.join(wanted)}",
            expected=f"one of {'+'.join(plan.data.card.modalities)} (the data set), "
            f"{'+'.join(plan.info.modalities)} (the method)",
            do="choose another protocol: harness list protocols",
        )
    return in_order(found)


def absent_at_test(plan: Plan) -> list[str]:
    """What queries or gallery lack of the modalities trained on, in words; often nothing."""
    found = []
    sides: tuple[Side, ...] = ("query", "gallery")
    for side in sides:
        wanted = modalities_of(plan, side)
        lost = [m for m in modalities_of(plan, "train") if m not in wanted]
        if lost:
            found.append(f"the {side} side has no {' and no '.join(lost)}")
        samples = plan.data.samples(getattr(plan.protocol, f"{side}_split"))
        thin = [s.name for s in samples if not set(wanted) <= set(s.paths)]
        if thin:
            found.append(f"{len(thin)} {side} samples lack an image, such as {thin[0]}")
    if plan.protocol.random_missing is not None:
        found.append("images are left out at random")
    return found


def require_policy(plan: Plan) -> None:
    """Refuse a method that cannot take an absent modality, where one is absent at test.

    Raises:
        ProtocolError: Something is absent and the policy the method declares is `none`.
    """
    absent = absent_at_test(plan)
    if not absent or plan.info.missing != "none":
        return
    raise ProtocolError(
        seen=f"under {plan.protocol.name} {'; '.join(absent)}, and the method {plan.info.name} "
        "declares the missing-modality policy 'none'",
        expected="a method that says what it does with an absent modality: zero_normalised, "
        "skip_branch, impute or native",
        do="choose a protocol with every modality it was trained on, or declare "
        "MethodInfo(missing=...) once its embed() takes batches without one",
    )


def shown(plan: Plan, split: Split, side: Side) -> str:
    """A key of what a model sees of a side: the same list, modalities and changes."""
    change = [c and c.model_dump(mode="json") for c in plan.protocol.change(side)]
    return digest([plan.data.card.folders[split], modalities_of(plan, side), change])
