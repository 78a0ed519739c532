"""DINOv2 as an extractor: features of natural images that agree better with human judgement than Inception's.

Recommended by Stein et al. 2023, "Exposing flaws of generative model evaluation metrics", section 3; images are
prepared as by their program dgm-eval, and so for FD-DINOv2 of later papers. Needs the optional package transformers.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sparring.errors import SparringError, missing_extra
from sparring.metrics.cache import weights_digest
from sparring.metrics.extractors.pictures import in_8_bits, in_parts, resized_by_pillow

SIDE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Channel statistics of ImageNet, in [0, 1]."""
POSITION_OFFSET = 0.1
"""Added to the target size when position embeddings are resampled, as in the authors' program."""


@final
@dataclass(frozen=True)
class DinoV2:
    """The network as an extractor of its class token after the last normalisation.

    Args:
        network: a ``Dinov2Model`` of transformers, frozen.
        name: "dinov2-" and the first 12 digits of the SHA-256 of the weights.
    """

    network: nn.Module
    name: str
    cacheable = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count features"]:
        """Return features, float32, on the CPU: 1024 of the large network; NaN for images with NaN in them.

        Args:
            samples: images in [-1, 1], (count, 1 or 3, height, width), of any size.

        Raises:
            SparringError: not images of one or three channels.
        """
        return in_parts(self._features, samples)

    def _features(self, samples: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        features: Tensor = self.network(pixel_values=prepared(samples).to(device)).pooler_output.float().cpu()
        features[samples.flatten(1).isnan().any(1).cpu()] = torch.nan
        return features


def load_dinov2(place: str = "facebook/dinov2-large") -> DinoV2:
    """Load the network at ``place``, on the GPU if there is one.

    Args:
        place: a folder, or a name on the Hugging Face Hub, from which missing files are downloaded (the large network:
            1.2 GB). Scores compare only for equal weights.

    Raises:
        SparringError: transformers is not installed, or there is no DINOv2 at ``place``, or it cannot be loaded.
    """
    # The downloader of transformers would report its use.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        model = importlib.import_module("transformers").Dinov2Model
    except ImportError:
        raise missing_extra("transformers", "dinov2", "to evaluate by DINOv2") from None
    try:
        network, report = model.from_pretrained(place, dtype=torch.float32, output_loading_info=True)
    except Exception as error:  # The Hub, files and configurations raise exceptions of many kinds.
        raise _not_loaded(place, f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}") from None

    # transformers initialises missing weights at random and only logs a warning.
    missing = sorted(report["missing_keys"])
    if missing:
        raise _not_loaded(place, f"no weights for {missing[0]} and {len(missing) - 1} others")

    # The digest identifies the published weights, so take it before the positions are resampled.
    name = f"dinov2-{weights_digest(network.state_dict())}"
    _resample_positions(network)
    network.eval().requires_grad_(False)
    return DinoV2(network.to("cuda" if torch.cuda.is_available() else "cpu"), name)


def prepared(samples: Tensor) -> Float[Tensor, "count 3 224 224"]:
    """Return images as the network takes them: 8 bits, RGB, 224 × 224 by Pillow's bicubic filter, ImageNet's scale.

    Args:
        samples: images in [-1, 1], (count, 1 or 3, height, width); NaN becomes black.
    """
    # Grey images get three equal channels: (count, 3, height, width).
    levels = in_8_bits(samples.detach().cpu().nan_to_num(-1.0)).byte().expand(-1, 3, -1, -1)
    images = resized_by_pillow(levels.permute(0, 2, 3, 1).numpy(), SIDE)  # (count, 224, 224, 3)
    return images.float().div(255).sub(torch.tensor(MEAN)).div(torch.tensor(DEVIATION)).permute(0, 3, 1, 2)


def _resample_positions(network: Any) -> None:
    """Resample position embeddings for 224 × 224 as the authors' program does.

    The network, trained at 518 × 518, has more positions than are needed. The authors resample them with a scale of
    (16 + 0.1) / 37, transformers with 16 / 37, which gives other features and other scores than published.
    """
    embeddings = network.embeddings
    wanted = SIDE // network.config.patch_size
    # The class token comes first, (1, 1, features), and has no place in the grid; (1, side², features) follow.
    first, positions = embeddings.position_embeddings.detach().tensor_split([1], dim=1)
    side = round(positions.shape[1] ** 0.5)
    if side == wanted:
        return
    grid = positions.unflatten(1, (side, side)).permute(0, 3, 1, 2)  # (1, features, side, side)
    grid = interpolate(grid, scale_factor=(wanted + POSITION_OFFSET) / side, mode="bicubic")
    embeddings.position_embeddings = nn.Parameter(torch.cat([first, grid.flatten(2).transpose(1, 2)], 1))


def _not_loaded(place: str, reason: str) -> SparringError:
    kind = "the folder" if Path(place).is_dir() else "the name on the Hub"
    return SparringError(
        found=f"{place!r}, which cannot be loaded ({reason})",
        expected="a DINOv2 network as transformers saves it",
        remedy=f"check {kind}",
    )
