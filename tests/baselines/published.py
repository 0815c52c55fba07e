"""The golden numbers of modern methods: their cases, filled weights, and what is compared."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.spec.method import Batch, DataInfo, MethodInfo
from harness.spec.plugins import load_target
from tests.golden import GOLDEN, Setting, inputs, shapes

METHODS = GOLDEN / "methods"
needed = pytest.mark.skipif(
    not METHODS.is_dir(), reason="the golden numbers of modern methods are not in ../shared"
)


def filled(
    key: str, shape: tuple[int, ...], salt: str = "", overrides: list[list[str]] | None = None
) -> Tensor:
    """A parameter or buffer drawn from its authors' name, as the folder's README says."""
    rng = np.random.default_rng(zlib.crc32((salt + key).encode()))
    leaf = key.rpartition(".")[2]
    rule = next((r for pattern, r in overrides or [] if re.search(pattern, key)), "")
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if rule == "0" or rule.startswith(_OWN_RULES):
        value = _by_rule(rule, shape, rng)
    elif leaf == "running_mean":
        value = 0.1 * rng.standard_normal(shape)
    elif leaf == "running_var":
        value = rng.uniform(0.5, 1.5, shape)
    elif "bias" in leaf:
        value = 0.05 * rng.standard_normal(shape)
    elif leaf == "weight" and len(shape) == 1:
        value = 1 + 0.1 * rng.standard_normal(shape)
    elif not rule and re.search("embed|token|prompt", key, re.IGNORECASE):
        value = 0.2 * rng.standard_normal(shape)
    elif len(shape) <= 1:
        value = 0.1 * rng.standard_normal(shape)
    else:
        value = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, np.float32))


_OWN_RULES = ("constant", "log(1..", "-3 + 0.5")


def _by_rule(rule: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """By what a case says of some keys in words, as far as it is none of the general rules."""
    if rule.startswith("log"):
        return np.asarray(np.log(np.arange(1, shape[-1] + 1)) + 0.1 * rng.standard_normal(shape))
    if rule.startswith("-3"):
        return np.asarray(-3 + 0.5 * rng.standard_normal(shape))
    return np.full(shape, float(rule.rsplit(maxsplit=1)[-1]))


class Case(NamedTuple):
    """One case of a method."""

    about: dict[str, Any]
    want: dict[str, NDArray[Any]]
    method: Any
    model: nn.Module
    batch: Batch

    @property
    def close(self) -> float:
        """How near the numbers have to be, relative to the largest."""
        return 1e-9 if self.about["dtype"] == "f64" else 1e-4

    def embedded(self, *gone: str) -> NDArray[Any]:
        """Descriptors, without the images of these modalities; captions stay, as the authors'."""
        images = {m: x for m, x in self.batch.images.items() if m not in gone}
        batch = self.batch._replace(
            images=images, present={m: self.batch.present[m] for m in images}
        )
        with torch.no_grad():
            found: Tensor = self.method.embed(self.model.eval(), batch)
        return found.numpy()

    def far(self, found: Any, name: str) -> float:
        """The largest difference from a golden array's rows, relative to its largest number."""
        want = self.want[name]
        found = np.asarray(found)[: len(want)] if want.ndim else np.asarray(found)
        return float(np.abs(found - want).max() / np.abs(want).max())


def names(method: str) -> list[str]:
    """The cases of a method; none where the golden numbers are not there."""
    file = METHODS / method / "cases.json"
    return [c["case"] for c in json.loads(file.read_text())] if file.is_file() else []


def case(
    info: MethodInfo,
    name: str,
    keys: str | None = None,
    more: Mapping[str, tuple[int, ...]] | None = None,
) -> Case:
    """A case with the authors' weights, in its precision.

    Args:
        info: The method.
        name: Of the case.
        keys: The file of the authors' names, where it is another than the case says.
        more: Shapes of what the case has beside the listed names.
    """
    folder = METHODS / info.name
    about = next(c for c in json.loads((folder / "cases.json").read_text()) if c["case"] == name)
    want: dict[str, NDArray[Any]] = {}
    for file in filter(None, (about["file"], about.get("missing_file"))):
        with np.load(folder / file) as found:
            want |= {k: found[k] for k in found.files}
    about["keys"] = folder / (keys or about.get("keys", "keys.tsv"))
    kind = torch.float64 if about["dtype"] == "f64" else torch.float32
    data, method = about["data"], load_target(info.target, name)()
    known = DataInfo(
        data["classes"],
        tuple(data["modalities"]),
        data["height"],
        data["width"],
        "none",
        cameras=data["cameras"],
    )
    model = method.build(info.config.model_validate(about["config"]), known)
    ours = method.import_state(authors_state(about, more))
    model.load_state_dict({k: ours[k] for k in model.state_dict()})
    setting = Setting(about["input_seed"], data["height"], data["width"], about["labels"], 0, 0)
    images: Mapping[Any, Tensor] = {m: x.to(kind) for m, x in inputs(setting).items()}
    present = {m: torch.ones(len(about["labels"]), dtype=torch.bool) for m in images}
    cameras = None if about["camids"] is None else torch.tensor(about["camids"])
    said: dict[Any, Tensor] = {
        m: torch.from_numpy(want[f"tokens.{m}"]).long() for m in images if f"tokens.{m}" in want
    }
    batch = Batch(dict(images), present, torch.tensor(about["labels"]), cameras, text=said or None)
    return Case(about, want, method, model.to(kind), batch)


def authors_state(
    about: Mapping[str, Any], more: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, Tensor]:
    """The authors' weights of a case, under their names; arguments as of `case`."""
    found = {}
    known = shapes(about["keys"]) | dict(more or {})
    for key, listed in known.items():
        if any("not filled" in rule and re.search(p, key) for p, rule in about["overrides"]):
            continue
        shape = listed
        if re.search("cv_embed$", key):
            shape = (about["data"]["cameras"], *shape[1:])
        found[key] = filled(key, shape, about["salt"], about["overrides"])
    for pattern, rule in about["overrides"]:
        # What the authors keep under two names.
        if twin := re.search(r"same parameter as (\S+)", rule):
            found |= {k: found[twin[1]].clone() for k in known if re.search(pattern, k)}
    return found


def hold_descriptors(found: Case) -> None:
    """The descriptors are the authors', with any modalities absent that the case has."""
    assert found.far(found.embedded(), "eval.feat") < found.close
    for key in (k for k in found.want if re.fullmatch(r"eval\.feat\.missing_\w+", k)):
        gone = [{"R": "RGB", "N": "NI", "T": "TI"}[c] for c in key.rpartition("_")[2]]
        assert found.far(found.embedded(*gone), key) < found.close, key


def hold_losses(found: Case, terms: Mapping[str, Tensor]) -> None:
    """Each term of the first loss is the authors'; `id_moe` of ours is `moe.id` of theirs.

    Where they were noted as a sum, `base_R` is that of `id_RGB` and `triplet_RGB`.
    """
    if any(k.startswith("loss.base") for k in found.want):
        _hold_sums(found, terms)
        return
    wanted = {k.removeprefix("loss.") for k in found.want if k.startswith("loss.")} - {"total"}
    parts = {k: k.partition("_") for k in terms}
    ours = {f"{n}.{kind}" if n else kind: terms[k] for k, (kind, _, n) in parts.items()}
    assert set(ours) == wanted
    for name, value in ours.items():
        assert found.far(value.detach(), f"loss.{name}") < found.close, name


_SUMS = {"ori": "base", "RGB": "base_R", "NI": "base_N", "TI": "base_T", "fuse": "fused"}


def _hold_sums(found: Case, terms: Mapping[str, Tensor]) -> None:
    sums: dict[str, float] = {}
    for name, value in terms.items():
        of = name.removeprefix("id_").removeprefix("triplet_")
        sums[_SUMS.get(of, of)] = sums.get(_SUMS.get(of, of), 0) + float(value.detach())
    wanted = {k.removeprefix("loss.") for k in found.want if re.match(r"loss\.(?!aux|total)", k)}
    assert set(sums) | {"balance"} == wanted | {"balance"}
    for name, value in sums.items():
        assert found.far(value, f"loss.{name}") < found.close, name


def hold_steps(
    found: Case, hold: Callable[..., None] = hold_losses, kept: tuple[int, int] = (0, 1)
) -> None:
    """The losses, the length of the gradient and the descriptors after the case's steps.

    Args:
        hold: Compares the terms of the first loss.
        kept: Which two rows of the last descriptors the set has, where it has not all of them.
    """
    trained = [p for p in found.model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, found.about["lr"], weight_decay=5e-4)
    for step in range(found.about["steps"]):
        terms = found.method.loss(found.model.train(), found.batch)
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        if step == 0:
            hold(found, terms)
            length = np.linalg.norm([float(p.grad.norm()) for p in trained if p.grad is not None])
            groups = "grad.group_norm" if "grad.group_norm" in found.want else "grad.total_norm"
            want = np.linalg.norm(found.want[groups])
            np.testing.assert_allclose(length, want, rtol=max(found.close, 1e-8))
        optimiser.step()
    last = found.embedded()
    if len(last) != len(found.want["eval.feat_after_step"]):
        last = last[list(kept)]
    assert found.far(last, "eval.feat_after_step") < 10 * found.close
