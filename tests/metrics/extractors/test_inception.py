"""The FID network gives the numbers of other implementations with the same weights, and resizes as they do."""

import math
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Generator

from sparring.errors import SparringError
from sparring.metrics.extractors import inception, pictures
from sparring.metrics.extractors.extractor import Classifying, Extractor
from sparring.metrics.extractors.inception import PUBLISHED, build, load_inception, resize_clean, resize_legacy


def formula_weights():
    """Return weights by a formula, uniform, of a size that keeps the features from vanishing."""
    random = Generator().manual_seed(1)
    with torch.device("meta"):
        shapes = {key: like.shape for key, like in build().state_dict().items()}
    weights = {}
    for key, shape in sorted(shapes.items()):
        if key.endswith("num_batches_tracked"):
            continue
        drawn = torch.rand(shape, generator=random)
        wide = len(shape) > 1
        weights[key] = (2 * drawn - 1) * math.sqrt(6 / shape[1:].numel()) if wide else 0.5 + drawn
        if key.endswith(("bias", "running_mean")):
            weights[key] = (drawn - 0.5) / 2
    return weights


def images(channels=3, height=20, width=12):
    return torch.rand(2, channels, height, width, generator=Generator().manual_seed(2)) * 2 - 1


def zero_weights(**change):
    """Return zeros that take some kilobytes in a file; ``change`` with None removes a key."""
    with torch.device("meta"):
        shapes = {key: like.shape for key, like in build().state_dict().items()}
    weights = {key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}
    return {key: weight for key, weight in (weights | change).items() if weight is not None}


def saved(weights, path):
    torch.save(weights, path)
    return path


@pytest.fixture(scope="module")
def weights():
    return formula_weights()


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    return saved(weights, tmp_path_factory.mktemp("weights") / "formula.pth")


@pytest.fixture(scope="module")
def clean(file):
    return load_inception(file)


CHOSEN = [400, 1000, 1500, 2047]
EXPECTED = {
    False: [[0.856909, 23.590492, 10.908796, 5.300209], [0.532508, 23.282862, 10.155167, 5.25662]],
    True: [[0.800143, 20.331722, 9.451313, 4.998896], [0.506675, 19.798796, 8.600821, 4.713587]],
}
EXPECTED_PROBABILITIES = [[0.230170, 0.692173], [0.480646, 0.445848]]
"""Features by torch-fidelity 0.4.0 with the same weights and images; the clean ones resized by clean-fid 0.1.35."""


@pytest.mark.parametrize("legacy", [False, True])
def test_features_equal_those_of_other_implementations(file, legacy):
    extractor = load_inception(file, legacy=legacy)
    features = extractor(images())
    assert features.shape == (2, 2048) and features.dtype == torch.float32 and not features.is_inference()
    assert torch.allclose(features[:, CHOSEN], torch.tensor(EXPECTED[legacy]), rtol=1e-4, atol=0)
    if legacy:
        probabilities = extractor.probabilities(features)
        assert probabilities.shape == (2, 1008)
        assert torch.allclose(probabilities.sum(1), torch.ones(2))
        assert torch.allclose(probabilities[:, [469, 709]], torch.tensor(EXPECTED_PROBABILITIES), rtol=1e-4, atol=0)


def test_the_name_identifies_the_weights(file, weights, clean, tmp_path):
    assert isinstance(clean, Extractor) and isinstance(clean, Classifying)
    assert clean.name.startswith("inception-clean-") and len(clean.name) == len("inception-clean-") + 12
    assert load_inception(file, legacy=True).name == clean.name.replace("clean", "legacy")

    extra = {"AuxLogits.fc.bias": torch.zeros(3), "Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(7)}
    save_file(weights | extra, tmp_path / "same.safetensors")
    again = load_inception(tmp_path / "same.safetensors")
    assert again.name == clean.name
    for key, weight in again.network.state_dict().items():
        assert key.endswith("num_batches_tracked") or torch.equal(weight.cpu(), weights[key])

    other = saved(weights | {"fc.bias": weights["fc.bias"] + 1}, tmp_path / "other.pth")
    assert load_inception(other).name != clean.name


def test_loading_does_not_change_the_random_state(tmp_path):
    before = torch.get_rng_state()
    load_inception(saved(zero_weights(), tmp_path / "hollow.pth"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Mixed_6b.branch7x7dbl_5.conv.weight": None, "fc.bias": None}, r"no Mixed_6b\.branch7x7dbl_5\.conv\.weight"),
        ({"fc.bias": torch.zeros(1000)}, r"fc\.bias of shape \(1000,\) .* shape \(1008,\)"),
        ({"fc.bias": "seven"}, r"fc\.bias of shape \(\)"),
        ({"head.weight": torch.zeros(1)}, r"head\.weight .* no weights of that name"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, change, said):
    with pytest.raises(SparringError, match=said):
        load_inception(saved(zero_weights(**change), tmp_path / "wrong.pth"))


def test_files_without_weights_are_refused(tmp_path):
    with pytest.raises(SparringError, match="list in"):
        load_inception(saved([torch.zeros(1)], tmp_path / "list.pth"))
    for name in ("broken.pth", "broken.safetensors", "absent.pth"):
        path = tmp_path / name
        if not name.startswith("absent"):
            path.write_bytes(b"not tensors")
        with pytest.raises(SparringError, match=f"{name} that cannot be read"):
            load_inception(path)


def test_files_that_are_no_regular_ones_or_too_large_are_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.safetensors")
    os.mkfifo(tmp_path / "pipe.pth")
    for name in ("pipe.safetensors", "pipe.pth"):
        with pytest.raises(SparringError, match="no regular file at"):
            load_inception(tmp_path / name)
    # Half of a file: the header announces more than follows.
    save_file({"fc.bias": torch.zeros(1008)}, tmp_path / "half.safetensors")
    os.truncate(tmp_path / "half.safetensors", 500)
    with pytest.raises(SparringError, match=r"tensors that do not fill the file.*Give the weights of the network"):
        load_inception(tmp_path / "half.safetensors")
    monkeypatch.setattr(inception, "MAX_FILE_BYTES", 400)
    with pytest.raises(SparringError, match=r"500 bytes at .*half"):
        load_inception(tmp_path / "half.safetensors")


def test_a_file_named_by_the_user_may_be_a_link(file, clean, tmp_path):
    (tmp_path / "link.pth").symlink_to(file)
    assert load_inception(tmp_path / "link.pth").name == clean.name


def test_local_copies_of_the_published_weights_come_first(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    monkeypatch.setattr(inception, "PUBLISHED", replace(PUBLISHED, home="https://127.0.0.1:1/"))
    with pytest.raises(SparringError, match=r"pt_inception-2015-12-05-6726825d\.pth.*the extractor inception:FILE"):
        load_inception()
    (tmp_path / "inception").mkdir()
    saved(zero_weights(), tmp_path / "inception" / PUBLISHED.files[0].name)
    assert load_inception().name.startswith("inception-clean-")


@pytest.mark.parametrize("side", [7, 40])
def test_clean_resizing_equals_pillow(side):
    samples = torch.randint(256, (3, 2, side, 9), generator=Generator().manual_seed(3)).float()
    resized = resize_clean(samples, 21)
    assert resized.shape == (3, 2, 21, 21)
    for image, channel in np.ndindex(3, 2):
        picture = Image.fromarray(samples[image, channel].numpy()).resize((21, 21), Image.Resampling.BICUBIC)
        assert np.array_equal(resized[image, channel].numpy(), np.asarray(picture).clip(0, 255))
    assert not torch.equal(resized, resized.round())
    assert resized.min() >= 0 and resized.max() <= 255


@pytest.mark.parametrize(("height", "width"), [(4, 7), (30, 11), (1, 2)])
def test_legacy_resizing_equals_a_loop(height, width):
    image = torch.rand(height, width, generator=Generator().manual_seed(4)) * 255
    size = 13
    wanted = torch.empty(size, size)
    for y, x in np.ndindex(size, size):
        row, column = y * height / size, x * width / size
        top, left = math.floor(row), math.floor(column)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        down, along = row - top, column - left
        wanted[y, x] = (1 - down) * ((1 - along) * image[top, left] + along * image[top, right]) + down * (
            (1 - along) * image[bottom, left] + along * image[bottom, right]
        )
    assert torch.allclose(resize_legacy(image[None, None], size)[0, 0], wanted, atol=1e-3)


def test_grey_images_are_colour_images_without_colour(clean):
    grey = images(channels=1)
    assert torch.allclose(clean(grey), clean(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)


def test_images_are_rounded_to_8_bits_and_computed_in_chunks(clean, monkeypatch):
    samples = images(height=8, width=8)
    features = clean(samples)
    monkeypatch.setattr(pictures, "CHUNK", 1)
    assert torch.allclose(clean(samples + 1e-5), features, rtol=1e-4, atol=1e-4)
    assert clean(samples[:0]).shape == (0, 2048)


def test_nan_stays_nan(clean):
    assert clean(torch.full((1, 1, 4, 4), torch.nan)).isnan().all()


@pytest.mark.parametrize("shape", [(2, 4, 8, 8), (2, 2, 8, 8), (2, 3, 8), (2, 6), (2, 3, 0, 8)])
def test_other_samples_than_images_are_refused(clean, shape):
    with pytest.raises(SparringError, match="grey or colour images"):
        clean(torch.zeros(shape))
