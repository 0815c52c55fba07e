"""Networks in streams: any modalities, absent ones left out, classifiers first where asked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from baselines.shared.stream_config import StreamConfig
from baselines.shared.streams import Network, StreamMethod, Streams
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality

WIDTH = 10


class Small(Network):
    """Two embeddings of a few channels, with the parts that make streams hard."""

    widths = (4, 6)
    normalised = True

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, WIDTH, 3, 2)
        self.bn = nn.BatchNorm2d(WIDTH)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        first, second = self.bn(self.conv(images)).relu().mean(dim=(2, 3)).split(self.widths, 1)
        return first, second


class Small3(StreamMethod):
    """Three of them."""

    def network(self, config: StreamConfig, data: DataInfo) -> Small:
        return Small()


METHOD = Small3()


def batch_of(modalities: tuple[Modality, ...] = MODALITIES) -> Batch:
    torch.manual_seed(7)
    return Batch(
        {m: torch.rand(4, 3, 16, 8) for m in modalities},
        {m: torch.ones(4, dtype=torch.bool) for m in modalities},
        torch.tensor([0, 0, 1, 1]),
    )


def built(modalities: tuple[Modality, ...] = MODALITIES, frozen_epochs: int = 0) -> Streams:
    torch.manual_seed(0)
    data = DataInfo(3, modalities, 16, 8, "none")
    return METHOD.build(StreamConfig(frozen_epochs=frozen_epochs), data)


def embedded(model: Streams, batch: Batch) -> torch.Tensor:
    with torch.no_grad():
        return METHOD.embed(model, batch)


def without(batch: Batch, modality: Modality, rows: list[int]) -> Batch:
    present = {m: p.clone() for m, p in batch.present.items()}
    present[modality][rows] = False
    images = {m: x * present[m][:, None, None, None] for m, x in batch.images.items()}
    return Batch(images, present, batch.pids)


@pytest.mark.parametrize("modalities", [("RGB",), ("NI", "TI"), ("RGB", "NI", "TI")])
def test_any_modalities_have_their_columns(modalities: tuple[Modality, ...]) -> None:
    model = built(modalities)
    columns = METHOD.modality_columns(model)
    assert columns == {m: (i * WIDTH, (i + 1) * WIDTH) for i, m in enumerate(modalities)}
    batch = batch_of(modalities)
    before = embedded(model, batch)
    assert before.shape == (4, WIDTH * len(modalities))
    for modality, (first, upto) in columns.items():
        other = batch._replace(images=batch.images | {modality: 1 - batch.images[modality]})
        changed = (embedded(model, other) != before).any(dim=0).nonzero().flatten()
        assert first <= int(changed.min()) and int(changed.max()) < upto


def test_a_modality_that_a_side_lacks_is_left_out() -> None:
    model = built()
    batch = batch_of()
    whole = embedded(model, batch)
    del batch.images["NI"], batch.present["NI"]
    part = embedded(model, batch)
    assert part.shape == whole.shape
    torch.testing.assert_close(part[:, :WIDTH], whole[:, :WIDTH])
    torch.testing.assert_close(part[:, 2 * WIDTH :], whole[:, 2 * WIDTH :])
    assert not part[:, WIDTH : 2 * WIDTH].any()


def test_single_absent_images_are_left_out_and_change_nobody_else() -> None:
    model, batch = built(), batch_of()
    whole = embedded(model, batch)
    part = embedded(model, without(batch, "NI", [1, 3]))
    assert not part[[1, 3], WIDTH : 2 * WIDTH].any()
    part[[1, 3], WIDTH : 2 * WIDTH] = whole[[1, 3], WIDTH : 2 * WIDTH]
    torch.testing.assert_close(part, whole)


def test_in_training_absent_images_are_neither_learnt_nor_normalised_with() -> None:
    model, batch = built(), batch_of()
    few = Batch(
        {m: x[[0, 2]] for m, x in batch.images.items()},
        {m: p[[0, 2]] for m, p in batch.present.items()},
        batch.pids[[0, 2]],
    )
    model.train()
    expected = METHOD.loss(model, few)["ce_NI"]
    found = METHOD.loss(model, without(batch, "NI", [1, 3]))["ce_NI"]
    torch.testing.assert_close(found, expected)


def test_a_stream_with_nobody_to_see_has_no_loss_and_no_gradient() -> None:
    model, batch = built(), batch_of()
    model.train()
    terms = METHOD.loss(model, without(batch, "TI", [0, 1, 2]))
    assert terms["ce_TI"].item() == 0
    sum(terms.values()).backward()  # type: ignore[union-attr]
    assert not any(
        p.grad is not None and p.grad.any() for p in model.classifiers["TI"].parameters()
    )
    assert any(p.grad is not None and p.grad.any() for p in model.classifiers["NI"].parameters())


def test_embedding_is_always_in_eval_mode() -> None:
    model, batch = built(), batch_of()
    model.train()
    training = embedded(model, batch)
    assert model.training
    model.eval()
    torch.testing.assert_close(embedded(model, batch), training)


def test_the_first_epochs_teach_the_classifiers_alone() -> None:
    model = built(("RGB",), frozen_epochs=1)
    batch = batch_of(("RGB",))
    for epoch, learning in enumerate([False, True]):
        model.train()
        METHOD.start_epoch(model, epoch)
        before = {k: v.clone() for k, v in model.networks.state_dict().items()}
        model.zero_grad(set_to_none=True)
        METHOD.loss(model, batch)["ce_RGB"].backward()
        assert all((p.grad is not None) == learning for p in model.networks.parameters())
        assert all(p.grad is not None for p in model.classifiers.parameters())
        moved = any(not torch.equal(v, before[k]) for k, v in model.networks.state_dict().items())
        assert moved == learning, "running statistics"
