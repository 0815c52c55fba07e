"""The state dict in a checkpoint as people save them: under which entry, behind which prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.base.errors import CheckpointError
from harness.base.progress import say

# In this order: where a file has several, such as a moving average beside the model, the first.
_ENTRIES = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "params",
    "module",
    "weights",
    "state_dict_ema",
    "model_ema",
    "params_ema",
    "ema",
)
# What DataParallel, torch.compile, and a module that holds the network put before each name.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
_COMPILED = "_orig_mod."
_OPTIMISER = "param_groups"
_DEPTH = 3
_FEW = 6


class _Found(NamedTuple):
    """Tensors by name somewhere in a file."""

    place: tuple[str, ...]
    tensors: dict[str, Tensor]


def state_of(content: Mapping[str, Any], source: str) -> dict[str, Tensor]:
    """The state dict of a file's content, without the prefixes of what wrapped the model.

    It is the content itself, or lies under an entry such as `state_dict`, `model` or `net`, also
    one in another. What was taken and what was left out is said, unless the file is bare.

    Args:
        content: As `harness.training.weights.read_file` gives it.
        source: The file, for messages.

    Raises:
        CheckpointError: There are no tensors by name, or several state dicts and none of them
            under a name that says which is meant.
    """
    found = _chosen(content, source)
    names, prefixes = _unwrapped(list(found.tensors))
    if found.place or prefixes or len(found.tensors) < len(content):
        _say(found, prefixes, content, source)
    return dict(zip(names, found.tensors.values(), strict=True))


def fitted(want: Mapping[str, Tensor], got: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with the prefix put on or taken off that makes most names those of a model.

    Args:
        want: The model's own state dict.
        got: The one to load; returned as it is where no prefix is better.
    """
    options = [dict(got)]
    for prefix in _PREFIXES:
        options.append({prefix + name: value for name, value in got.items()})
        if all(name.startswith(prefix) for name in got):
            options.append({name.removeprefix(prefix): value for name, value in got.items()})
    return max(options, key=lambda option: len(want.keys() & option.keys()))


def _chosen(content: Mapping[str, Any], source: str) -> _Found:
    here = _tensors(content) or _arrays(content)
    if here and len(here) == len(content):
        return _Found((), here)
    found = list(_candidates(content, ()))
    named = [f for f in found if f.place[-1] in _ENTRIES]
    if named:
        return min(named, key=lambda f: (_ENTRIES.index(f.place[-1]), len(f.place)))
    if here:
        return _Found((), here)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{'.'.join(f.place)} ({len(f.tensors)} tensors)" for f in found)
        raise CheckpointError(
            seen=f"{source} holds several state dicts: {listed}",
            expected=f"one, or the model's under one of: {', '.join(_ENTRIES)}",
            do=f"save the one that is meant: torch.save(torch.load(FILE)[{found[0].place[0]!r}], "
            "...)",
        )
    raise CheckpointError(
        seen=f"{source} holds no tensors by name: {_listed(content) or 'nothing'}",
        expected=f"tensors by parameter name, bare or under one of: {', '.join(_ENTRIES)}",
        do="save `model.state_dict()`",
    )


def _candidates(content: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[_Found]:
    """State dicts inside, the outer ones first; what an optimiser keeps is none."""
    if len(place) == _DEPTH:
        return
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Mapping) or _OPTIMISER in value:
            continue
        inner = list(_candidates(value, (*place, key)))
        tensors = _tensors(value) or (_arrays(value) if key in _ENTRIES else {})
        if tensors and not any(f.place[-1] in _ENTRIES for f in inner):
            yield _Found((*place, key), tensors)
        else:
            yield from inner


def _tensors(content: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        # A sparse one is filled up, as a parameter holds it.
        k: v if v.layout is torch.strided else v.to_dense()
        for k, v in content.items()
        if isinstance(k, str) and isinstance(v, Tensor)
    }


def _arrays(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """NumPy's arrays as tensors, where nothing else is there: a curve beside weights is none."""
    all_named = all(isinstance(k, str) and isinstance(v, np.ndarray) for k, v in content.items())
    return {k: torch.from_numpy(v.copy()) for k, v in content.items()} if all_named else {}


def _unwrapped(names: list[str]) -> tuple[list[str], list[str]]:
    """The names without prefixes that all of them have, and those prefixes.

    torch.compile of a part leaves its word inside a name, where no model would have it.
    """
    taken: list[str] = []
    while names:
        prefix = next((p for p in _PREFIXES if all(n.startswith(p) for n in names)), None)
        if prefix is None:
            break
        names = [name.removeprefix(prefix) for name in names]
        taken.append(prefix)
    without = [name.replace(_COMPILED, "").removeprefix("module.") for name in names]
    # Two parameters must not become one.
    if without != names and len(set(without)) == len(names):
        taken.append(_COMPILED if any(_COMPILED in name for name in names) else "module.")
        names = without
    return names, taken


def _say(found: _Found, prefixes: list[str], content: Mapping[str, Any], source: str) -> None:
    where = f" under {'.'.join(found.place)}" if found.place else ""
    without = f" without {' and '.join(prefixes)} before their names" if prefixes else ""
    left: list[str] = []
    level: Any = content
    for step in (*found.place, None):
        taken = {step} if step is not None else set(found.tensors)
        left += [_kind(k, v) for k, v in level.items() if k not in taken]
        level = level[step] if step is not None else level
    out = f"; left out: {_few(left)}" if left else ""
    say(f"{source}: took {len(found.tensors)} tensors{where}{without}{out}")


def _listed(content: Mapping[str, Any]) -> str:
    return _few([_kind(k, v) for k, v in content.items()])


def _kind(key: Any, value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, Mapping) and value:
        name += f" of {len(value)} {type(next(iter(value.values()))).__name__}"
    return f"{key} ({name})"


def _few(words: list[str]) -> str:
    more = f" and {len(words) - _FEW} more" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + more
