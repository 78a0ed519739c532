"""DINOv2 through transformers: preparation of images, features, and errors."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.errors import SparringError
from sparring.metrics.extractors import pictures
from sparring.metrics.extractors.dinov2 import DEVIATION, MEAN, SIDE, load_dinov2, prepared
from sparring.metrics.extractors.extractor import Extractor


def images(count=3, channels=3, height=20, width=12):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def saved(tmp_path):
    """Return a folder with a tiny network of random weights for 42 × 42 pixels, and the network."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 42, "patch_size": 14}
    network = transformers.Dinov2Model(transformers.Dinov2Config(**sizes)).eval()
    network.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny", network


def test_images_are_prepared_as_pillow_does():
    given = images(1)
    pixels = np.round((given[0].numpy() + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0)
    resized = np.array(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) / 255
    expected = ((resized - MEAN) / DEVIATION).transpose(2, 0, 1)
    assert np.allclose(prepared(given)[0], expected, atol=1e-5)


def test_grey_is_colour_of_three_equal_channels():
    grey = images(channels=1)
    assert torch.equal(prepared(grey), prepared(grey.expand(-1, 3, -1, -1)))
    assert prepared(grey[:0]).shape == (0, 3, SIDE, SIDE)


def test_features_are_the_class_token(saved, monkeypatch):
    place, network = saved
    # As the authors' program resamples the places: by 16.1 / 3, though 16 are taken.
    places = network.embeddings.position_embeddings.detach()
    grid = places[0, 1:].T.reshape(1, 8, 3, 3)
    grid = torch.nn.functional.interpolate(grid, scale_factor=16.1 / 3, mode="bicubic").reshape(8, 256).T
    network.embeddings.position_embeddings = torch.nn.Parameter(torch.cat([places[0, :1], grid])[None])
    with torch.inference_mode():
        expected = network(prepared(images())).last_hidden_state[:, 0]

    extractor = load_dinov2(str(place))
    assert isinstance(extractor, Extractor)
    features = extractor(images())
    assert features.shape == (3, 8) and features.dtype == torch.float32
    assert torch.allclose(features, expected, atol=1e-5)

    monkeypatch.setattr(pictures, "CHUNK", 2)
    assert torch.allclose(extractor(images()), features, atol=1e-5)


def test_positions_are_not_resampled_as_by_transformers(saved):
    place, network = saved
    with torch.inference_mode():
        theirs = network(prepared(images())).pooler_output
    assert not torch.allclose(load_dinov2(str(place))(images()), theirs, atol=1e-5)


def test_the_name_identifies_the_weights(saved, tmp_path):
    place, network = saved
    name = load_dinov2(str(place)).name
    assert name.startswith("dinov2-") and len(name) == len("dinov2-") + 12
    network.save_pretrained(tmp_path / "copy", max_shard_size="2KB")
    assert load_dinov2(str(tmp_path / "copy")).name == name
    network.layernorm.bias.data += 1e-3
    network.save_pretrained(tmp_path / "other")
    assert load_dinov2(str(tmp_path / "other")).name != name


def test_nan_stays_nan(saved):
    given = images()
    given[1, 0, 0, 0] = torch.nan
    features = load_dinov2(str(saved[0]))(given)
    assert features.isnan().all(1).tolist() == [False, True, False]
    assert not features[[0, 2]].isnan().any()


def test_other_samples_than_images_are_refused(saved):
    extractor = load_dinov2(str(saved[0]))
    for shape in ((2,), (2, 8, 8), (1, 0, 8)):
        with pytest.raises(SparringError, match="grey or colour images"):
            extractor(torch.zeros(3, *shape))


def test_networks_that_cannot_be_loaded_are_refused(saved, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SparringError, match=r"empty', which cannot be loaded \(\w+: .*Check the folder"):
        load_dinov2(str(tmp_path / "empty"))
    place, network = saved
    del network.encoder.layer[1].mlp
    network.save_pretrained(place)
    with pytest.raises(SparringError, match=r"no weights for encoder\.layer\.1\.mlp\.fc1\.bias and 3 others"):
        load_dinov2(str(place))


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SparringError, match="no package 'transformers'") as caught:
        load_dinov2("anywhere")
    assert caught.value.remedy == 'run `pip install "sparring[dinov2]"`'
