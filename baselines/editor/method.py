"""EDITOR as the harness calls it: build, loss, embed."""

from __future__ import annotations

from torch import Tensor, nn

from baselines.editor.config import EditorConfig
from baselines.editor.losses import follow_centres
from baselines.editor.model import EditorNet, TrainOutput
from baselines.shared.cross import in_eval_mode, unwrapped
from baselines.shared.vit_heads import head_losses
from baselines.shared.vit_official import in_our_names
from harness.spec.method import Batch, DataInfo

_NAMES = (
    r"BACKBONE\.base\.|FUSE_block\.((norm|attn|mlp)[RNT1]|norm[RNT]_|norm2|mlp|out_norm)\."
    r"|FUSE_block\.memory_cls\.(RGB|NIR|TIR)_centers|(RGB|NIR|TIR)_REDUCE\."
    r"|(FUSE|AL|BACKBONE)_(BN|HEAD)\."
)
_UNUSED = r"BACKBONE\.base\.fc\.|FREQ_INDEX\."


class Editor:
    """The plugin named by `baselines.editor.info.INFO.target`."""

    def build(self, config: EditorConfig, data: DataInfo) -> EditorNet:
        """A new network; its ViT starts from `data.pretrained`."""
        return EditorNet(config, data)

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy and triplet of every trained head, `bcc` and `ocfr`.

        The centres of OCFR move here, where the whole batch is seen.

        Args:
            model: An `EditorNet` in train mode, or a wrapper of one.
            batch: Images by modality, labels and cameras.
        """
        out: TrainOutput = model(batch.images, batch.camids)
        net = unwrapped(model, EditorNet)
        terms = head_losses(out.heads, batch.pids, net.config)
        if net.config.bcc:
            terms["bcc"] = out.background.mean()
        if net.config.ocfr:
            centres, momentum = net.FUSE_block.memory_cls, net.config.centre_momentum
            parts = [
                follow_centres(centres.of(m), tokens, batch.pids, momentum)
                for m, tokens in out.tokens.items()
            ]
            terms["ocfr"] = sum(parts[1:], parts[0])
        return terms

    def embed(self, model: nn.Module, batch: Batch) -> Tensor:
        """The (n, d * modalities) descriptors, always in eval mode.

        An absent image is grey, zero after normalisation, for the selection too.
        """
        with in_eval_mode(model):
            descriptors: Tensor = model(batch.images, batch.camids)
        return descriptors

    def import_state(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The authors' state dict, or ours, in our names, which are the same.

        ImageNet's classifier and the wavelets' constants are left out: nothing uses them here.

        Raises:
            CheckpointError: It is none of EDITOR.
        """
        return in_our_names(state, "EDITOR", _NAMES, _UNUSED)
