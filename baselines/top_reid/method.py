"""TOP-ReID as the harness calls it: build, loss, embed."""

from __future__ import annotations

from torch import Tensor, nn

from baselines.shared.cross import in_eval_mode, incomplete, unwrapped
from baselines.shared.vit_heads import head_losses
from baselines.shared.vit_official import in_our_names
from baselines.top_reid.config import TopReidConfig
from baselines.top_reid.model import TopReidNet, TrainOutput
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality

_NAMES = (
    r"(RGB|NI|TI)\.(base|bottleneck|classifier)\.|TPM\.Ro_(start|middle|end)\.Rotation\."
    r"|CRM\.(RGB|NI|TI)RE\.re[12]\.blocks\.|(bottleneck|classifier)_(TPM|ViT)\."
)
_UNUSED = r"(RGB|NI|TI)\.base\.fc\."


class TopReid:
    """The plugin named by `baselines.top_reid.info.INFO.target`."""

    def build(self, config: TopReidConfig, data: DataInfo) -> TopReidNet:
        """A new network; its ViTs start from `data.pretrained`."""
        return TopReidNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy and triplet of every trained head, and `crm`, summed over its six pairs.

        A pair learns from the samples that have both modalities.

        Args:
            model: A `TopReidNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        out: TrainOutput = model(batch.images, batch.present, batch.camids, incomplete(batch))
        terms = head_losses(out.heads, batch.pids, unwrapped(model, TopReidNet).config)
        if out.remade:
            parts = []
            for (source, target), errors in out.remade.items():
                both = batch.present[source] & batch.present[target]
                parts.append((errors * both).sum() / both.sum().clamp(min=1))
            terms["crm"] = sum(parts[1:], parts[0])
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors, always in eval mode.

        The tokens of an absent modality are made from the others by CRM; without CRM an absent
        image is grey, zero after normalisation.
        """
        with in_eval_mode(model):
            descriptors: Tensor = model(
                batch.images, batch.present, batch.camids, incomplete(batch)
            )
        return descriptors

    def modality_columns(self, model: nn.Module) -> dict[Modality, tuple[int, int]]:
        """The columns of each modality, which only the baseline has."""
        return unwrapped(model, TopReidNet).columns

    def import_state(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The authors' state dict, or ours, in our names.

        Theirs are ours, but for the joint head of the baseline, which they call `bottleneck` and
        `classifier`, and for a classifier of ImageNet that nothing uses.

        Raises:
            CheckpointError: It is none of TOP-ReID.
        """
        renamed = {
            k.replace(".", "_ViT.", 1) if k.startswith(("bottleneck.", "classifier.")) else k: v
            for k, v in state.items()
        }
        return in_our_names(renamed, "TOP-ReID", _NAMES, _UNUSED)
