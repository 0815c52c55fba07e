"""EDITOR against the numbers of its authors' code."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from baselines.editor.aggregation import THEIR_NAMES
from baselines.editor.config import EditorConfig
from baselines.editor.info import INFO
from baselines.editor.method import Editor
from baselines.editor.selection import frequency, spatial
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES
from tests.baselines.vit_golden import (
    Made,
    authors_shapes,
    cases,
    close,
    close_terms,
    embedded,
    make,
    two_steps,
    without_values,
)

CASES = cases(INFO.name)
PUBLISHED = DataInfo(171, MODALITIES, 256, 128, "none", cameras=4)


@pytest.mark.parametrize(("supervision", "millions"), [("joint", 118.940), ("each", 118.542)])
def test_names_shapes_and_parameters_are_the_authors(supervision: str, millions: float) -> None:
    shapes, _ = authors_shapes(INFO.name)
    unused = ("BACKBONE.base.fc.", "FREQ_INDEX.", *(("AL_",) if supervision == "each" else ()))
    used = {k: s for k, s in shapes.items() if not k.startswith(unused)}
    with torch.device("meta"):
        model = Editor().build(EditorConfig(supervision=supervision), PUBLISHED)
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == used
    # The authors count the centres, which they keep as frozen parameters, and we as buffers.
    centres = sum(b.numel() for k, b in model.named_buffers() if k.endswith("_centers"))
    found = sum(p.numel() for p in model.parameters()) + centres
    assert found / 1e6 == pytest.approx(millions, abs=5e-4)


def test_a_triplet_costs_what_was_measured_less_the_products_of_matrices() -> None:
    """81.32 GFLOP with eleven products of 129 x 129 matrices a head; here a row is multiplied."""
    model = without_values(Editor(), EditorConfig(supervision="each"), PUBLISHED)
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data.fill_(0)
    batch = Batch(
        {m: torch.zeros(1, 3, 256, 128) for m in MODALITIES},
        {m: torch.ones(1, dtype=torch.bool) for m in MODALITIES},
        torch.tensor([-1]),
        torch.zeros(1, dtype=torch.int64),
    )
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        Editor().embed(model, batch)
    saved = 2 * 11 * 12 * 3 * (129**3 - 129**2)
    # The rest of the difference are the wavelets, which are no part of ours.
    assert (counter.get_total_flops() + saved) / 1e9 == pytest.approx(81.32, abs=0.015)


def held(made: Made, case: str) -> None:
    """Masks first: a flipped choice changes everything after it."""
    config, want = EditorConfig.model_validate(CASES[case]["config"]), made.want
    model, images = made.model.eval(), made.batch.images
    if config.selection:
        with torch.no_grad():
            for modality in MODALITIES:
                _, attention = model.BACKBONE.base.with_attention(  # type: ignore[union-attr, operator]
                    images[modality], made.batch.camids
                )
                chosen = spatial(attention, config.head_keep)
                assert (chosen.numpy() == want[f"eval.mask.{modality}"]).all()
        bright = frequency(images, config.patch, config.stride, config.frequency_keep)
        assert (bright.numpy() == want["eval.mask.frequency"]).all()
    with torch.no_grad():
        _, kept = model.select(images, made.batch.camids)  # type: ignore[operator]
    assert (kept.numpy() == want["eval.mask"]).all()
    tolerance = 1e-9 if case.endswith("f64") else 1e-5
    close(embedded(made, made.batch), want["eval.feat"], tolerance)


def test_choices_descriptors_and_losses_are_the_authors() -> None:
    made = make(INFO, "small_joint_f64")
    held(made, "small_joint_f64")
    with torch.no_grad():
        terms = made.method.loss(made.model.train(), made.batch)
    close_terms({k: float(v) for k, v in terms.items()}, made.want, 1e-9)
    for modality, name in THEIR_NAMES.items():
        centres = made.model.FUSE_block.memory_cls.of(modality)  # type: ignore[union-attr, operator]
        close([centres.sum(), centres.norm()], made.want[f"centres.{name}.step0"], 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_case_and_its_steps(case: str) -> None:
    made = make(INFO, case)
    held(made, case)
    tolerance = 1e-9 if case.endswith("f64") else 1e-5
    first, second = two_steps(made, CASES[case])
    config = CASES[case]["config"]
    left_out = next((k for k in ("bcc", "ocfr") if not config[k]), "")
    close_terms(first, made.want, tolerance, left_out)
    close(sum(second.values()), made.want["loss.total.step1"], tolerance)
    close(embedded(made, made.batch), made.want["eval.feat_after_step"], tolerance)
