"""Equal samples: honest models repeat training texts and held-out ones alike; copies are found, exact and near."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.reading import reading
from sparring.evaluation.budget import Budget
from sparring.evaluation.copying import memorisation_of
from sparring.evaluation.equality import Equality, like_real_ones
from sparring.evaluation.memorisation import Memorisation
from sparring.modalities import modality
from sparring.modalities.text.survey import survey_texts
from sparring.modality import Modality


class Source(NamedTuple):
    """Subject of the search for copies."""

    modality: Modality
    is_known: bool = True

    def knows(self, facts: object) -> bool:
        return self.is_known


def split_of(texts: list[str], folder: Path) -> Split:
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in texts))
    survey = survey_texts(str(folder / "texts.txt"), reading(), None)
    return survey.prepare(modality("text").view_of(survey.facts, survey.facts))


def judged(split: Split, samples: Tensor, *, known: bool = True) -> Memorisation:
    found = memorisation_of(samples, Source(modality("text"), known), split, 0, Budget())
    assert found is not None
    return found


@pytest.fixture
def poems(tmp_path: Path) -> Split:
    random = np.random.default_rng(0)
    return split_of(["".join(random.choice([*"abcdefghijkl"], 20)) for _ in range(1500)], tmp_path)


@pytest.fixture
def names(tmp_path: Path) -> Split:
    """Return most of the texts of four letters out of six: any model writes many of them."""
    random = np.random.default_rng(0)
    every = ["".join("abcdef"[int(digit)] for digit in np.base_repr(one, 6).zfill(4)) for one in range(6**4)]
    return split_of([every[one] for one in random.permutation(6**4)[:1200]], tmp_path)


def test_a_model_that_memorised_its_texts_is_told(poems: Split) -> None:
    found = judged(poems, poems.train.batch(slice(0, 200)).real)
    assert found.copied and found.copies == 200 and found.metrics()["copies"].significant
    assert found.answer == (
        "200 of 200 generated samples are equal to training samples, and 0 to held-out ones, of which there are 9 "
        "times fewer."
    )
    assert found.pairs[0][0] == found.pairs[0][1] and found.pairs[0][2] == 0


def test_few_lines_that_were_memorised_are_told_without_many_held_out_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    split = split_of(["".join(random.choice([*"abcdefgh"], 12)) for _ in range(200)], tmp_path)
    found = judged(split, split.train.batch(slice(None)).real)
    assert found.copied and not found.decidable and "equal to training samples" in found.answer
    few = judged(split, split.train.batch(slice(0, 2)).real.repeat(50, 1))
    assert not few.copied and "(2 different): too few different ones" in few.answer


def test_near_copies_are_told(poems: Split) -> None:
    samples = poems.train.batch(slice(0, 200)).real
    samples[:, 19] = samples[:, 19] % 12 + 2
    found = judged(poems, samples)
    assert found.equal is not None and found.copied and found.equal.near > 150 > 20 > found.equal.count
    assert found.answer.startswith(f"{found.copies} of 200 generated samples are ")
    assert not judged(poems, poems.held_out.batch(slice(None)).real).copied


def test_texts_that_every_model_writes_are_no_copies(names: Split) -> None:
    """An honest model of short texts writes training and held-out ones in proportion to their numbers."""
    random = torch.Generator().manual_seed(0)
    samples = torch.randint(2, 8, (800, 4), generator=random)
    found = judged(names, samples)
    assert found.equal is not None and found.equal.count > 500 and not found.copied
    assert "no more than chance explains" in found.answer
    assert found.metrics()["copies"].floor == pytest.approx(found.copies, rel=0.3)


def test_nothing_is_said_of_chance_where_the_training_data_is_not_known(names: Split) -> None:
    found = judged(names, names.train.batch(slice(0, 100)).real, known=False)
    assert found.answer.startswith("100 of 100 generated samples are equal to samples of ")


def test_repeated_samples_are_one_piece_of_evidence() -> None:
    distances = torch.tensor([0.0, 0.0, 0.1, 0.9, 0.9])
    first = torch.tensor([True, False, True, True, True])
    known = Equality(distances == 0, torch.tensor([0.9, 0.9, 0.9, 0.05, 0.9]), first, 9.0)
    found = like_real_ones(distances, known, 0.1)
    assert (found.count, found.near, found.different, found.held_out) == (2, 1, 2, 1)
    assert found.chance == pytest.approx(0.972) and not found.decidable
