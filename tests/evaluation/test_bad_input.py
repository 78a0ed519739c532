"""What cannot be measured is said beside what can."""

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
    """Real digits that pass for generated ones: as they are, in folders by class, in colour, and three alone."""
    folder = tmp_path_factory.mktemp("made")
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
    return sparring.evaluate(folder, "digits", extractors=extractors or ("pixels",), display=Silent())


def test_classes_of_the_folders_are_the_classes_asked_for(digits):
    named, plain, others = (evaluated(digits / name) for name in ("classes", "plain", "others"))
    assert named.measures["agreement"].value > 0.97 and named.classes["3"]["agreement"] > 0.9
    assert "agreement" not in plain.measures and "no classes" in plain.remarks[-2]
    assert "agreement" not in others.measures and "classes of their own" in others.remarks[-2]
    assert plain.measures["classes"].value == 10 and plain.measures["similarity"].floor is not None


def test_colour_is_brought_to_the_channels_of_the_data(digits):
    plain, colour = (evaluated(digits / name).scores[0].measures["frechet"].value for name in ("plain", "colour"))
    assert colour == pytest.approx(plain, abs=0.02)


def test_three_samples_say_which_measure_needs_more(digits):
    found = evaluated(digits / "three")
    measures = found.scores[0].measures
    assert "at least 8" in measures["frechet_at_infinity"].remark and "at least 6" in measures["recall"].remark
    assert all(measures[name].value is not None for name in ("frechet", "kernel", "vendi", "sliced_wasserstein"))
    assert all(score.plus_minus is None for score in measures.values())


def test_a_function_that_fails_leaves_the_others(digits):
    found = evaluated(digits / "plain", f"{digits}/mine.py:broken", f"{digits}/mine.py:whole")
    whole, broken = found.scores
    assert all(score.value is not None for score in whole.measures.values())
    assert all("not finite" in score.remark for score in broken.measures.values())


def test_an_empty_folder_is_one_sentence(digits):
    with pytest.raises(SparringError, match=r"nothing in .*empty"):
        evaluated(digits / "empty")


def test_copies_are_found_wherever_they_lie_among_the_files(tmp_path):
    """Files come in the order of their names; what is looked at is drawn."""
    split = survey("digits").prepare(View((1, 8, 8)))
    real = split.train.batch(slice(None)).real
    noisy = (real + 0.6 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    modality("images").save(torch.cat([noisy[:1300], real[:300]]), split.facts, tmp_path)
    found = evaluated(tmp_path).memorisation
    assert found.copied and 100 < found.copies < 300
    assert all(distance < 1e-6 for _, _, distance in found.pairs)
