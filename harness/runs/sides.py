"""What the train, query and gallery sides show to a method; imports no torch."""

from __future__ import annotations

from pydantic import BaseModel

from harness.base.errors import ProtocolError
from harness.base.hashing import digest
from harness.data.opened import OpenDataset
from harness.spec.dataset import Card, Split
from harness.spec.method import MethodInfo
from harness.spec.modality import Modality, in_order
from harness.spec.protocol import BoundProtocol, Side


def modalities_of(
    info: MethodInfo, card: Card, protocol: BoundProtocol, side: Side
) -> tuple[Modality, ...]:
    """The modalities of the protocol's train, query or gallery side that can be had.

    Raises:
        ProtocolError: The data set or the method has none of them.
    """
    wanted = protocol.side(side)
    found = set(wanted) & set(card.modalities) & set(info.modalities)
    if not found:
        raise ProtocolError(
            seen=f"the {side} side of {protocol.name} has {'+'.join(wanted)}",
            expected=f"one of {'+'.join(card.modalities)} (the data set), "
            f"{'+'.join(info.modalities)} (the method)",
            do="choose another protocol: harness list protocols",
        )
    return in_order(found)


def absent_at_test(info: MethodInfo, data: OpenDataset, protocol: BoundProtocol) -> list[str]:
    """What queries or gallery lack of the modalities trained on, in words; often nothing."""
    found = []
    trained = modalities_of(info, data.card, protocol, "train")
    sides: tuple[Side, ...] = ("query", "gallery")
    for side in sides:
        wanted = modalities_of(info, data.card, protocol, side)
        lost = [m for m in trained if m not in wanted]
        if lost:
            found.append(f"the {side} side has no {' and no '.join(lost)}")
        samples = data.samples(getattr(protocol, f"{side}_split"))
        thin = [s.name for s in samples if not set(wanted) <= set(s.paths)]
        if thin:
            found.append(f"{len(thin)} {side} samples lack an image, such as {thin[0]}")
    if protocol.random_missing is not None:
        found.append("images are left out at random")
    return found


def require_policy(info: MethodInfo, data: OpenDataset, protocol: BoundProtocol) -> None:
    """Refuse a method that cannot take an absent modality, where one is absent at test.

    Raises:
        ProtocolError: Something is absent and the policy the method declares is `none`.
    """
    absent = absent_at_test(info, data, protocol)
    if not absent or info.missing != "none":
        return
    raise ProtocolError(
        seen=f"under {protocol.name} {'; '.join(absent)}, and the method {info.name} "
        "declares the missing-modality policy 'none'",
        expected="a method that says what it does with an absent modality: zero_normalised, "
        "skip_branch, impute or native",
        do="choose a protocol with every modality it was trained on, or declare "
        "MethodInfo(missing=...) once its embed() takes batches without one",
    )


def cameras_of(data: OpenDataset, protocol: BoundProtocol) -> tuple[int, ...]:
    """The cameras of the training images, sorted; none where there are none or none are named.

    A set without cameras gives all its images one number.
    """
    if data.only_test:
        return ()
    trained = {s.camid for s in data.samples(protocol.train_split)}
    if len(trained | _at_test(data, protocol)) < 2:
        return ()
    return tuple(sorted(trained))


def require_cameras(
    info: MethodInfo,
    config: BaseModel,
    data: OpenDataset,
    protocol: BoundProtocol,
    known: tuple[int, ...],
) -> None:
    """Refuse a method that is told cameras at test where it did not learn them.

    Args:
        info: The method.
        config: Its options, which may turn the cameras off.
        data: What it is tested on.
        protocol: Says on which splits.
        known: The cameras it learns, or learnt.

    Raises:
        ProtocolError: The data set has no cameras, or others at test.
    """
    if not info.is_told_cameras(config):
        return
    strange = sorted(_at_test(data, protocol) - set(known))
    if known and not strange:
        return
    seen = f"{data.label} names no cameras"
    if data.only_test:
        seen = (
            f"the weights do not say their cameras, and {data.label} is here without train images"
        )
    if known:
        listed = ", ".join(map(str, strange))
        seen = f"the cameras {listed} (counted from 0) of {data.label} are at test and not in train"
    switch = f"turn its camera embedding off (--set config.{info.camera_switch}=false), or "
    raise ProtocolError(
        seen=f"{seen}, and the method {info.name} is told the camera of each test image",
        expected="test images of the cameras it learns"
        + (f": {', '.join(map(str, known))}" if known else ""),
        do=(switch if info.camera_switch else "") + "choose another data set or protocol",
    )


def require_text(info: MethodInfo, protocol: BoundProtocol) -> None:
    """Refuse a protocol that is about captions for a method that is given none.

    Raises:
        ProtocolError: Its numbers would be those of the protocol without captions.
    """
    if protocol.caption_of_missing is None or info.is_told_text:
        return
    raise ProtocolError(
        seen=f"{protocol.name} keeps the captions of missing images, and the method {info.name} is "
        "given none",
        expected="a method with the tag text-at-test",
        do="choose the protocol that does not speak of captions: harness list protocols",
    )


def _at_test(data: OpenDataset, protocol: BoundProtocol) -> set[int]:
    splits = (protocol.query_split, protocol.gallery_split)
    return {s.camid for split in splits for s in data.samples(split)}


def shown(info: MethodInfo, card: Card, protocol: BoundProtocol, split: Split, side: Side) -> str:
    """A key of what a model sees of a side: the same list, modalities and changes."""
    asked = protocol.change(side)
    drawn = (asked.random_missing, asked.corruption)
    change = [c and c.model_dump(mode="json") for c in drawn] + [asked.captions_stay]
    return digest([card.folders[split], modalities_of(info, card, protocol, side), change])
