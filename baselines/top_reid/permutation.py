"""TPM and CRM: class tokens that look at patches in turn, and tokens made from others."""

from __future__ import annotations

from collections.abc import Mapping

from timm.layers import Mlp
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional

from baselines.top_reid.config import TopReidConfig
from harness.spec.modality import Modality

_FORWARD = ("Ro_start", "Ro_middle")
_OWN = "Ro_end"


class _Look(nn.Module):
    """The attention of one class token over patches; the values are patches without a norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.normy = nn.LayerNorm(width)
        self.q_ = nn.Linear(width, width, bias=False)
        self.k_ = nn.Linear(width, width, bias=False)
        self.v_ = nn.Linear(width, width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, token: Tensor, patches: Tensor) -> Tensor:
        """(n, d), what a class token (n, d) finds in patches (n, patches, d)."""
        query = self._apart(self.q_(token)[:, None])
        key, value = self._apart(self.k_(self.normy(patches))), self._apart(self.v_(patches))
        found = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(found.flatten(1))
        return out

    def _apart(self, tokens: Tensor) -> Tensor:
        n, length, _ = tokens.shape
        return tokens.reshape(n, length, self.heads, -1).transpose(1, 2)


class _Rotation(nn.Module):
    """A pre-norm layer that changes class tokens alone."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = _Look(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)

    def forward(self, token: Tensor, patches: Tensor) -> Tensor:
        """The new class token, (n, d)."""
        token = token + self.attn(self.norm1(token), patches)
        out: Tensor = token + self.mlp(self.norm2(token))
        return out


class _Step(nn.Module):
    """Named as in the authors' code, where a step holds its layer as `Rotation`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.Rotation = _Rotation(width, heads)


class TokenPermutation(nn.Module):
    """TPM: each class token looks at the next modality's patches, at the one after's, at its own.

    A step has one layer, which all modalities share. With two modalities there is no second step,
    with one only the last.

    Args:
        config: Width and heads.
        modalities: Of the run, in order.
    """

    def __init__(self, config: TopReidConfig, modalities: tuple[Modality, ...]) -> None:
        super().__init__()
        self.modalities = modalities
        self.steps = (*_FORWARD[: len(modalities) - 1], _OWN)
        for step in self.steps:
            self.add_module(step, _Step(config.width, config.heads))

    def forward(self, tokens: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """The permuted class tokens, each (n, d).

        Args:
            tokens: By modality, each (n, 1 + patches, d), the class token first.
        """
        found = {m: tokens[m][:, 0] for m in self.modalities}
        for number, step in enumerate(self.steps, start=1):
            layer = self.get_submodule(step).get_submodule("Rotation")
            ahead = 0 if step == _OWN else number
            found = {m: layer(found[m], tokens[self._after(m, ahead)][:, 1:]) for m in found}
        return found

    def _after(self, modality: Modality, ahead: int) -> Modality:
        place = self.modalities.index(modality) + ahead
        return self.modalities[place % len(self.modalities)]


class _Remake(nn.Module):
    """Transformer layers from the tokens of one modality to those of another."""

    def __init__(self, config: TopReidConfig) -> None:
        super().__init__()
        layers = (
            Block(config.width, config.heads, qkv_bias=False, norm_layer=nn.LayerNorm)
            for _ in range(config.crm_depth)
        )
        self.blocks = nn.Sequential(*layers)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, 1 + patches, d) of (n, 1 + patches, d)."""
        out: Tensor = self.blocks(tokens)
        return out


class Reconstruction(nn.Module):
    """CRM: for each ordered pair of modalities, the tokens of one made from those of the other.

    Args:
        config: Width, heads and depth.
        modalities: Of the run, in order.

    Attributes:
        pairs: (source, target), in the order of their sources.
    """

    def __init__(self, config: TopReidConfig, modalities: tuple[Modality, ...]) -> None:
        super().__init__()
        self.pairs: list[tuple[Modality, Modality]] = []
        for source in modalities:
            targets = [m for m in modalities if m != source]
            own = nn.ModuleDict({f"re{i}": _Remake(config) for i in range(1, len(targets) + 1)})
            self.add_module(f"{source}RE", own)
            self.pairs += [(source, target) for target in targets]

    def forward(self, tokens: Tensor, source: Modality, target: Modality) -> Tensor:
        """The target's tokens as the source's tell them, (n, 1 + patches, d)."""
        targets = [t for s, t in self.pairs if s == source]
        name = f"{source}RE.re{1 + targets.index(target)}"
        made: Tensor = self.get_submodule(name)(tokens)
        return made
