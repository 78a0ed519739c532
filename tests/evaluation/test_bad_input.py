"""Input that allows some metrics only: those are given, the others say why not."""

import numpy as np
import pytest
import torch

import sparring
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities import modality
from sparring.modalities.images.data import survey
from sparring.runs.display import Silent

FUNCTIONS = """
def broken(samples):
    return samples.flatten(1) * float("nan")

def whole(samples):
    return samples.flatten(1)[:, :20]
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Folders of real digits as generated ones: plain, by class, in colour, and three alone."""
    folder = tmp_path_factory.mktemp("generated")
    samples, _, labels = survey("digits").prepare(View((1, 8, 8)), seed=5).train.batch(slice(0, 400))
    images = modality("images")
    images.save(samples, survey("digits").facts, folder / "plain")
    images.save(samples.repeat(1, 3, 1, 1), survey("digits").facts, folder / "colour")
    images.save(samples[:3], survey("digits").facts, folder / "three")
    for label in range(10):
        images.save(samples[labels == label], survey("digits").facts, folder / "classes" / str(label))
        images.save(samples[labels == label], survey("digits").facts, folder / "others" / f"digit-{label}")
    (folder / "empty").mkdir()
    (folder / "mine.py").write_text(FUNCTIONS)
    return folder


def evaluated(folder, *extractors):
    return sparring.evaluate(folder, "digits", extractors=extractors or ("pixels",), all=True, display=Silent())


def test_folder_names_are_the_classes_asked_for(digits):
    named, plain, others = (evaluated(digits / name) for name in ("classes", "plain", "others"))
    assert named.metrics["agreement"].value > 0.97 and named.classes["3"]["agreement"] > 0.9
    assert "agreement" not in plain.metrics and "no classes" in plain.remarks[-2]
    assert "agreement" not in others.metrics and "are not used: the real data has the classes" in others.remarks[-2]
    assert plain.metrics["classes"].value == 10 and plain.metrics["similarity"].floor is not None


def test_colour_images_are_converted_to_the_channels_of_the_data(digits):
    plain, colour = (evaluated(digits / name).scores[0].metrics["frechet"].value for name in ("plain", "colour"))
    assert colour == pytest.approx(plain, abs=0.02)


def test_with_three_samples_each_metric_says_how_many_it_needs(digits):
    found = evaluated(digits / "three")
    metrics = found.scores[0].metrics
    assert "at least 8" in metrics["frechet_at_infinity"].remark and "at least 6" in metrics["recall"].remark
    assert all(metrics[name].value is not None for name in ("frechet", "kernel", "vendi", "sliced_wasserstein"))
    assert all(score.plus_minus is None for score in metrics.values())


def test_below_fifty_samples_every_difference_is_inconclusive(digits):
    found = evaluated(digits / "three")
    lines = found.lines()
    assert "Only 3 generated samples are compared, and 50 are needed for intervals: small differences" in " ".join(
        lines
    )
    (line,) = [line for line in lines if line.strip().startswith("Good?")]
    assert "Fréchet" in line and line.endswith("no interval")
    assert not any(
        line.endswith(("worse", "better", "as real")) for line in found.figures(further=False) if "copies" not in line
    )
    both = sparring.compare(digits / "three", digits / "three", "digits", extractors=["pixels"], display=Silent())
    verdicts = {one.verdict for one in both.differences["pixels"].values() if one.difference is not None}
    assert verdicts == {"inconclusive"} and "have no interval" in both.summary() and "inconclusive" not in str(both)


def test_a_single_sample_is_named_by_its_side(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((1, 2)))
    found = sparring.evaluate(tmp_path / "one.npy", "ring", display=Silent())
    assert "Found 1 real and 1 generated sample, but expected at least 2." in found.scores[0].metrics["frechet"].remark
    assert any(remark.startswith("Only 1 generated sample is compared") for remark in found.remarks)
    assert not any("real sample" in remark for remark in found.remarks)


def test_a_failing_extractor_leaves_the_others(digits):
    found = evaluated(digits / "plain", f"{digits}/mine.py:broken", f"{digits}/mine.py:whole")
    whole, broken = found.scores
    assert all(score.value is not None for score in whole.metrics.values())
    assert all("not finite" in score.remark for score in broken.metrics.values())


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"protocol": None}, "the protocol None, but expected one of floor, standard"),
        ({"protocol": 3}, "the protocol 3"),
        ({"extractors": [3]}, "for extractors, but expected names"),
        ({"json": 3}, "3 for json=, but expected the path"),
        ({"report": []}, "for report=, but expected the path"),
        ({"display": "x"}, "'x' for display"),
    ],
)
def test_odd_arguments_are_refused_before_anything_is_read(choice, words):
    with pytest.raises(SparringError, match=words):
        sparring.evaluate("nowhere", "nowhere", **choice)


def test_one_extractor_may_be_given_as_text(digits):
    found = sparring.evaluate(digits / "three", "digits", extractors="pixels", display=Silent())
    assert [scores.extractor for scores in found.scores] == ["pixels"]


def test_an_empty_folder_is_refused(digits):
    with pytest.raises(SparringError, match=r"nothing in .*empty"):
        evaluated(digits / "empty")


def test_copies_are_found_at_any_position_among_the_files(tmp_path):
    """Files are read in the order of their names; those that are compared are drawn at random."""
    split = survey("digits").prepare(View((1, 8, 8)))
    real = split.train.batch(slice(None)).real
    noisy = (real + 0.6 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    modality("images").save(torch.cat([noisy[:1300], real[:300]]), split.facts, tmp_path)
    found = evaluated(tmp_path).memorisation
    assert found.copied and 100 < found.copies < 300
    assert all(distance < 1e-6 for _, _, distance in found.pairs)
