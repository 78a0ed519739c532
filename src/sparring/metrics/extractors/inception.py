"""The network behind published FID and Inception scores: Inception-v3 as TensorFlow released it in 2015.

It differs from the Inception-v3 of Szegedy et al. 2016 in small ways that change every score: average pools exclude the
padding from the mean, the last block takes a maximum where the others average, and there are 1008 classes. Scores also
depend on how images are resized to 299 × 299 (Parmar et al. 2022), so the name of an extractor says that too.
"""

import io
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sparring import opening
from sparring.data.cache import cache_folder
from sparring.data.catalogue import Publication, PublishedFile
from sparring.data.downloads import download, local_copy
from sparring.errors import SparringError
from sparring.metrics.cache import weights_digest
from sparring.metrics.extractors.pictures import in_8_bits, in_parts, resized_by_pillow
from sparring.tensor_files import tensors_of

PUBLISHED = Publication(
    home="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/",
    files=(
        PublishedFile(
            "pt_inception-2015-12-05-6726825d.pth",
            95_628_359,
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        ),
    ),
    classes=(),
    terms="Apache-2.0",
)
SIDE = 299
MAX_FILE_BYTES = 1024**3
"""Size above which a file of weights is refused; the published one has 91 MiB."""
UNUSED_SUFFIX, UNUSED_PREFIX = "num_batches_tracked", "AuxLogits."
"""Keys that files of weights may have or lack, because they have no part in the features."""

Kernel: TypeAlias = tuple[int, int]
Step: TypeAlias = tuple[int, Kernel] | tuple[int, Kernel, Kernel]
"""Output channels and kernel of a convolution; two kernels for two parallel convolutions."""
Branches: TypeAlias = Mapping[str, Sequence[Step]]

ONE, THREE, FIVE = (1, 1), (3, 3), (5, 5)
ROW, COLUMN = (1, 7), (7, 1)
SHORT_ROW, SHORT_COLUMN = (1, 3), (3, 1)


@final
@dataclass(frozen=True)
class Inception:
    """The network as an extractor of its 2048 pooled features.

    Args:
        network: see ``build``; frozen.
        name: "inception-clean-" or "inception-legacy-" and the first 12 digits of the SHA-256 of the weights.
        legacy: whether images are resized by ``resize_legacy`` instead of ``resize_clean``.
    """

    network: nn.Sequential
    name: str
    legacy: bool = False
    cacheable = True

    def __call__(self, samples: Tensor) -> Float[Tensor, "count 2048"]:
        """Return features ≥ 0, float32, on the CPU; they are computed where the weights are.

        Args:
            samples: images in [-1, 1], (count, 1 or 3, height, width), rounded to 8 bits first as saved files are.

        Raises:
            SparringError: not images of one or three channels.
        """
        return in_parts(self._features, samples)

    def probabilities(self, features: Float[Tensor, "count 2048"]) -> Float[Tensor, "count 1008"]:
        """Return class probabilities for the Inception score (Salimans et al. 2016, section 4), float32, on the CPU.

        The softmax of the last layer without its bias, as in the authors' program, in StyleGAN2-ADA and in
        torch-fidelity (``logits_unbiased``).
        """
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        return (features.to(last.weight) @ last.weight.T).softmax(1).cpu()

    def _features(self, samples: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        images = in_8_bits(samples)
        images = resize_legacy(images.to(device), SIDE) if self.legacy else resize_clean(images, SIDE).to(device)
        # 8-bit levels → [-1, 1), as in training; grey images get three equal channels: (count, 3, 299, 299).
        images = images.sub(128).div(128).expand(-1, 3, -1, -1)
        # A CPU needs two thirds of the time with the channels of a pixel side by side.
        layout = torch.channels_last if device.type == "cpu" else torch.contiguous_format
        features: Tensor = self.network[:-1](images.contiguous(memory_format=layout))
        return features.cpu()


@final
class Convolution(nn.Module):
    """A convolution without bias, batch normalisation with ε = 0.001, ReLU."""

    def __init__(
        self, channels: int, wanted: int, kernel: Kernel, *, stride: int = 1, padding: tuple[int, int] = (0, 0)
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, wanted, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(wanted, eps=1e-3)

    def forward(self, images: Tensor) -> Tensor:
        values: Tensor = self.bn(self.conv(images))
        return values.relu_()


@final
class Mixed(nn.Module):
    """Branches over the same images, their channels concatenated, those of the pool last.

    Convolutions have their published names: ``branch3x3dbl_2`` is the second step of the branch ``3x3dbl``, ``_2a`` and
    ``_2b`` are parallel, and the only step of a branch has no number.

    Args:
        channels: of the images.
        branches: name → steps.
        pool: first module of the last branch.
        pooled: channels of the 1 × 1 convolution behind the pool; 0 for none.
        halving: the last step of each branch has stride 2 and no padding; all other steps keep the size.
    """

    def __init__(
        self, channels: int, branches: Branches, pool: nn.Module, *, pooled: int = 0, halving: bool = False
    ) -> None:
        super().__init__()
        self.branches = [self._branch(name, steps, channels, halving) for name, steps in branches.items()]
        self.pool = pool
        self.branch_pool = Convolution(channels, pooled, ONE) if pooled else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        outputs = []
        for *steps, parallel in self.branches:
            values = images
            for (step,) in steps:
                values = step(values)
            outputs += [step(values) for step in parallel]
        # All branches end on the same grid, so their channels can be joined: (count, channels, height, width).
        return torch.cat([*outputs, self.branch_pool(self.pool(images))], 1)

    def _branch(self, name: str, steps: Sequence[Step], channels: int, halving: bool) -> list[list[Convolution]]:
        """Register the convolutions of a branch, and return those of each step; only the last has several."""
        branch: list[list[Convolution]] = []
        for number, (wanted, *kernels) in enumerate(steps, 1):
            stem = f"branch{name}_{number}" if len(steps) > 1 else f"branch{name}"
            stride = 2 if halving and number == len(steps) else 1
            branch.append([])
            for letter, (height, width) in zip("ab" if len(kernels) > 1 else [""], kernels, strict=True):
                padding = (height // 2, width // 2) if stride == 1 else (0, 0)
                step = Convolution(channels, wanted, (height, width), stride=stride, padding=padding)
                self.add_module(stem + letter, step)
                branch[-1].append(step)
            channels = wanted
        return branch


def load_inception(weights: Path | None = None, *, legacy: bool = False) -> Inception:
    """Load the network, on the GPU if there is one.

    Args:
        weights: a ``.pth`` or ``.safetensors`` file; None for a local copy of the published weights, or a download
            (91 MiB) whose SHA-256 is verified.
        legacy: how images are resized, see ``Inception``.

    Raises:
        SparringError: the file cannot be downloaded or read, or holds the weights of another network.
    """
    path = weights or _published()
    # Build on the meta device, without storage: the tensors of the file become the weights.
    with torch.device("meta"):
        network = build()
    tensors = _fitting(_read(path), network, path)
    # Batch counters, which some files lack, matter only in training.
    counts = {key: torch.tensor(0) for key in network.state_dict() if _unused(key)}
    network.load_state_dict({**tensors, **counts}, assign=True)
    network.eval().requires_grad_(False)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    return Inception(network, f"inception-{'legacy' if legacy else 'clean'}-{weights_digest(tensors)}", legacy)


def build() -> nn.Sequential:
    """Build the layers under their published names: images (count, 3, 299, 299) → 2048 features → 1008 logits."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        # Stem: (count, 3, 299, 299) → (count, 192, 35, 35).
        Conv2d_1a_3x3=Convolution(3, 32, THREE, stride=2),
        Conv2d_2a_3x3=Convolution(32, 32, THREE),
        Conv2d_2b_3x3=Convolution(32, 64, THREE, padding=(1, 1)),
        MaxPool_1=nn.MaxPool2d(3, 2),
        Conv2d_3b_1x1=Convolution(64, 80, ONE),
        Conv2d_4a_3x3=Convolution(80, 192, THREE),
        MaxPool_2=nn.MaxPool2d(3, 2),
        # Grids of 35 × 35 (256, then 288 channels), 17 × 17 (768) and 8 × 8 (1280, then 2048).
        Mixed_5b=_fives(192, 32),
        Mixed_5c=_fives(256, 64),
        Mixed_5d=_fives(288, 64),
        Mixed_6a=_halved(288, {"3x3": [(384, THREE)], "3x3dbl": [(64, ONE), (96, THREE), (96, THREE)]}),
        Mixed_6b=_sevens(768, 128),
        Mixed_6c=_sevens(768, 160),
        Mixed_6d=_sevens(768, 160),
        Mixed_6e=_sevens(768, 192),
        Mixed_7a=_halved(
            768,
            {"3x3": [(192, ONE), (320, THREE)], "7x7x3": [(192, ONE), (192, ROW), (192, COLUMN), (192, THREE)]},
        ),
        Mixed_7b=_forked(1280, _average()),
        Mixed_7c=_forked(2048, nn.MaxPool2d(3, 1, 1)),
        # (count, 2048, 8, 8) → (count, 2048) features → (count, 1008) logits.
        AvgPool=nn.AdaptiveAvgPool2d(1),
        Flatten=nn.Flatten(),
        fc=nn.Linear(2048, 1008),
    )
    return nn.Sequential(layers)


def resize_clean(images: Tensor, size: int) -> Tensor:
    """Resize images in [0, 255], (..., height, width), to size × size: antialiased bicubic, clipped, not rounded.

    Each channel by Pillow in floating point, as ``clean-fid`` does (Parmar et al. 2022).
    """
    channels = resized_by_pillow(images.flatten(0, -3).float().cpu().numpy(), size)
    return channels.clamp(0, 255).reshape(*images.shape[:-2], size, size)


def resize_legacy(images: Tensor, size: int) -> Tensor:
    """Resize images (..., height, width) to size × size as TensorFlow 1 did: bilinear, neither antialiased nor centred.

    Target position t reads between the two neighbours of t · side / size; beyond the last one the last is repeated.
    """
    # Bilinear interpolation is separable: along the width, then along the height.
    for dimension in (-1, -2):
        side = images.shape[dimension]
        position = torch.arange(size, device=images.device, dtype=torch.float32) * (side / size)
        before = position.long()
        share = (position - before).reshape(-1, *[1] * (-1 - dimension))
        first = images.index_select(dimension, before)
        second = images.index_select(dimension, (before + 1).clamp(max=side - 1))
        images = first + (second - first) * share
    return images


def _average() -> nn.Module:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def _fives(channels: int, pooled: int) -> Mixed:
    branches: Branches = {
        "1x1": [(64, ONE)],
        "5x5": [(48, ONE), (64, FIVE)],
        "3x3dbl": [(64, ONE), (96, THREE), (96, THREE)],
    }
    return Mixed(channels, branches, _average(), pooled=pooled)


def _sevens(channels: int, inner: int) -> Mixed:
    branches: Branches = {
        "1x1": [(192, ONE)],
        "7x7": [(inner, ONE), (inner, ROW), (192, COLUMN)],
        "7x7dbl": [(inner, ONE), (inner, COLUMN), (inner, ROW), (inner, COLUMN), (192, ROW)],
    }
    return Mixed(channels, branches, _average(), pooled=192)


def _forked(channels: int, pool: nn.Module) -> Mixed:
    branches: Branches = {
        "1x1": [(320, ONE)],
        "3x3": [(384, ONE), (384, SHORT_ROW, SHORT_COLUMN)],
        "3x3dbl": [(448, ONE), (384, THREE), (384, SHORT_ROW, SHORT_COLUMN)],
    }
    return Mixed(channels, branches, pool, pooled=192)


def _halved(channels: int, branches: Branches) -> Mixed:
    return Mixed(channels, branches, nn.MaxPool2d(3, 2), halving=True)


def _published() -> Path:
    """Return the published file: a local copy, or a download."""
    (file,) = PUBLISHED.files
    folders = (local_copy("inception"), cache_folder() / "downloads" / "inception")
    for folder in folders:
        if folder is not None and (folder / file.name).is_file():
            return folder / file.name
    try:
        return download("inception", PUBLISHED) / file.name
    except SparringError as error:
        remedy = f"put it there from {PUBLISHED.home}, or name the file, as the extractor inception:FILE"
        raise SparringError(found=error.found, expected=error.expected, remedy=remedy) from None


def _read(path: Path) -> object:
    """Return the content of a file of tensors; nothing in it is executed."""
    expected = "a .pth or .safetensors file"
    try:
        # The user named the file, so a link is followed, as in the cache of the Hugging Face Hub.
        content = opening.file_bytes(path.resolve(), MAX_FILE_BYTES)
        if path.suffix == ".safetensors":
            return tensors_of(content, path)
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except SparringError as error:
        raise _not_the_weights(error.found, expected) from None
    except Exception as error:  # Other kinds of files raise exceptions of any kind.
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:100]
        raise _not_the_weights(f"{path} that cannot be read ({reason})", expected) from None


def _fitting(found: object, network: nn.Module, path: Path) -> dict[str, Tensor]:
    """Return the weights that ``network`` needs, in float32, or refuse the first that does not fit."""
    if not isinstance(found, Mapping):
        raise _not_the_weights(f"{type(found).__name__} in {path}", "tensors by name")
    weights = {str(key): weight for key, weight in found.items() if not _unused(str(key))}
    shapes = {key: tuple(like.shape) for key, like in network.state_dict().items() if not _unused(key)}
    for key in [*shapes, *weights]:
        if key not in weights:
            raise _not_the_weights(f"no {key} in {path}", f"one of shape {shapes[key]}")
        if key not in shapes:
            raise _not_the_weights(f"{key} in {path}", "no weights of that name")
        shape = tuple(getattr(weights[key], "shape", ()))
        if shape != shapes[key]:
            raise _not_the_weights(f"{key} of shape {shape} in {path}", f"shape {shapes[key]}")
    return {key: weights[key].float().contiguous() for key in shapes}


def _unused(key: str) -> bool:
    return key.endswith(UNUSED_SUFFIX) or key.startswith(UNUSED_PREFIX)


def _not_the_weights(found: str, expected: str) -> SparringError:
    remedy = f"give the weights of the network, as in {PUBLISHED.home}{PUBLISHED.files[0].name}"
    return SparringError(found=found, expected=expected, remedy=remedy)
