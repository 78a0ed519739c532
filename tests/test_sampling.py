"""The loop that generates samples, and conditions drawn from data."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring import sampling
from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.games.duel import Duel
from sparring.modality import Selection
from sparring.randomness import RandomStream
from sparring.samples import Sample
from sparring.sampling import SAMPLES_PER_PASS, Accepted, clamp, conditions_from, generate, generate_accepted


def test_a_sample_does_not_depend_on_the_count(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    many = generate(game, 2 * SAMPLES_PER_PASS + 3, seed=1, stream="here/")
    for count in (1, SAMPLES_PER_PASS, SAMPLES_PER_PASS + 1):
        torch.testing.assert_close(generate(game, count, seed=1, stream="here/"), many[:count])
    assert not torch.equal(generate(game, 3, seed=1, stream="there/"), many[:3])


@pytest.mark.parametrize(
    ("pass_bytes", "sizes"),
    [(sampling.PASS_BYTES, [64, 1024, 512]), (8 * 128, [64, *[128] * 12]), (0, [64] * 25)],
)
def test_small_samples_are_generated_many_at_once(
    pass_bytes: int, sizes: list[int], tiny_duel: Callable[..., Duel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "PASS_BYTES", pass_bytes)
    game, found = tiny_duel(), list[int]()

    class Watched:
        latent = game.latent

        def generate(self, latent: Tensor, condition: Sample | None) -> Sample:
            found.append(len(latent))
            return game.generate(latent, condition)

    samples = generate(Watched(), 1600, seed=1, stream="here/")  # type: ignore[arg-type]
    assert found == sizes
    torch.testing.assert_close(samples[700:764], generate(game, 64, seed=1, stream="here/", first=700))


def test_conditions_occur_in_the_proportions_of_the_data() -> None:
    labels = np.repeat([0, 1], [90, 10])
    batch = conditions_from(Dataset(np.arange(100.0)[:, None], labels, labels), 100, seed=0)
    assert Counter(batch.condition.tolist()) == {0: 90, 1: 10}
    more = conditions_from(Dataset(np.arange(100.0)[:, None], labels, labels), 250, seed=0)
    assert torch.equal(more.real[:100], batch.real) and torch.equal(more.real[100:200], batch.real)


def test_conditions_come_with_their_real_samples() -> None:
    real = np.random.default_rng(0).normal(size=(50, 2))
    batch = conditions_from(Dataset(real, conditions=2 * real), 20, seed=3)
    assert torch.equal(batch.condition, 2 * batch.real)


def test_values_are_clamped_to_the_bounds() -> None:
    assert clamp(torch.tensor([-3.0, 0.5]), (-1.0, 1.0)).tolist() == [-1.0, 0.5]
    assert clamp(torch.tensor([-3.0]), None).tolist() == [-3.0]


class Positive:
    """Selection of samples whose first value is above a threshold; it doubles their second value."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def condition(self, condition: Sample, random: RandomStream) -> Sample:
        return condition

    def select(self, samples: Sample, condition: Sample) -> tuple[Sample, Tensor]:
        return samples * samples.new_tensor([1, 2]), samples[:, 0] > self.threshold


def accepted(game: Duel, selection: Selection | None, count: int, first: int = 0) -> Accepted:
    return generate_accepted(game, selection, count, seed=1, stream="here/", first=first)


def test_each_sample_is_the_first_of_its_candidates_that_is_accepted(tiny_duel: Callable[..., Duel]) -> None:
    game, count = tiny_duel(), 2 * SAMPLES_PER_PASS + 3
    plain = generate(game, count, seed=1, stream="here/")
    selection = Positive(float(plain[:, 0].quantile(0.8)))
    found = accepted(game, selection, count)
    assert found.rows.tolist() == list(range(count)) and (found.samples[:, 0] > selection.threshold).all()
    first = plain[:, 0] > selection.threshold
    torch.testing.assert_close(found.samples[first], plain[first] * torch.tensor([1, 2]))
    assert found.acceptance() == f"Kept {count} of {found.generated} samples generated: " + (
        f"{100 * count / found.generated:.3g} %"
    )
    assert 0.1 < count / found.generated < 0.4 and found.shortage(count) == ""


def test_a_search_tells_what_was_found_so_far(tiny_duel: Callable[..., Duel]) -> None:
    told = list[tuple[int, int]]()

    def tell(kept: int, generated: int) -> None:
        told.append((kept, generated))

    found = generate_accepted(tiny_duel(), Positive(0.0), 40, seed=1, stream="here/", on_search=tell)
    assert told and told[-1] == (40, found.generated) and told == sorted(told)
    told.clear()
    generate_accepted(tiny_duel(), Positive(-1e9), 40, seed=1, stream="here/", on_search=tell)
    assert not told, "the first candidates are all accepted"


def test_accepted_samples_depend_neither_on_the_count_nor_on_the_parts(tiny_duel: Callable[..., Duel]) -> None:
    game = tiny_duel()
    many = accepted(game, Positive(0.0), 100)
    torch.testing.assert_close(accepted(game, Positive(0.0), 7).samples, many.samples[:7])
    parts = [accepted(game, Positive(0.0), 50, first).samples for first in (0, 50)]
    torch.testing.assert_close(torch.cat(parts), many.samples)


def test_without_a_selection_every_sample_is_accepted(tiny_duel: Callable[..., Duel]) -> None:
    found = accepted(tiny_duel(), None, 5)
    assert torch.equal(found.samples, generate(tiny_duel(), 5, seed=1, stream="here/"))
    assert found.rows.tolist() == list(range(5)) and found.generated == 5 and found.acceptance() == ""


def test_a_search_ends_with_what_was_found(tiny_duel: Callable[..., Duel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MIN_GENERATED", 500)
    monkeypatch.setattr(sampling, "MAX_CANDIDATES", 3)
    game = tiny_duel()
    values = generate(game, 2000, seed=2, stream="here/")[:, 0]
    found = accepted(game, Positive(float(values.quantile(0.95))), 400)
    assert 0 < len(found.rows) < 400 and len(found.samples) == len(found.rows)
    assert found.shortage(400) == f"Only {len(found.rows)} of 400 samples were found."
    none = accepted(game, Positive(1e9), 400)
    assert 500 <= none.generated <= 2000 and len(none.samples) == 0
    with pytest.raises(SparringError, match="no sample that meets what is asked for among"):
        none.shortage(400)
