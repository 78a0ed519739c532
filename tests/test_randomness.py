"""Random numbers are a pure function of (seed, stream, step)."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from sparring.randomness import RandomStream, derive, generator, seeded

KINDS = {
    "normal": lambda random, stream: random.normal(stream, 3),
    "uniform": lambda random, stream: random.uniform(stream, 3),
    "integers": lambda random, stream: random.integers(stream, 10, 3),
}
kinds = some.sampled_from(list(KINDS))


@given(kinds, some.integers(0, 2**40), some.integers(0, 10**6), some.lists(some.integers(1, 6), min_size=1, max_size=6))
def test_rows_do_not_depend_on_the_split(kind: str, seed: int, step: int, portions: list[int]) -> None:
    total, start, parts = sum(portions), 0, []
    for portion in portions:
        parts.append(KINDS[kind](RandomStream(seed, step, total, slice(start, start + portion)), "noise"))
        start += portion
    assert torch.equal(torch.cat(parts), KINDS[kind](RandomStream(seed, step, total, slice(0, total)), "noise"))


@given(kinds, some.integers(0, 2**40))
def test_streams_steps_seeds_and_turns_are_independent(kind: str, seed: int) -> None:
    random = RandomStream(seed, 0, 16, slice(0, 16))
    first = KINDS[kind](random, "noise")
    assert torch.equal(first, KINDS[kind](random, "noise"))
    others = [random.substream("generator"), replace(random, step=1), replace(random, seed=seed + 1)]
    for other in [KINDS[kind](one, "noise") for one in others] + [KINDS[kind](random, "other")]:
        assert not torch.equal(first, other)


@given(some.integers(), some.text(), some.integers(0))
def test_derived_seeds_have_63_bits(seed: int, stream: str, step: int) -> None:
    assert 0 <= derive(seed, stream, step) < 2**63


def test_distributions_have_their_ranges() -> None:
    random = RandomStream(0, 0, 10_000, slice(0, 10_000))
    uniform, whole = random.uniform("a"), random.integers("b", 3)
    assert float(uniform.min()) >= 0 and float(uniform.max()) < 1
    assert whole.dtype == torch.int64 and set(whole.tolist()) == {0, 1, 2}
    assert abs(float(random.normal("c").std()) - 1) < 0.05


def test_the_global_generator_is_restored() -> None:
    before = torch.random.get_rng_state()
    with seeded(1, "weights"):
        first = torch.randn(4)
    assert torch.equal(torch.random.get_rng_state(), before)
    with seeded(1, "weights"):
        assert torch.equal(torch.randn(4), first)
    with pytest.raises(KeyError), seeded(1, "weights"):
        raise KeyError
    assert torch.equal(torch.random.get_rng_state(), before)


def test_derived_seeds_never_change_between_versions() -> None:
    """Runs are resumed by later versions: these values are part of the format."""
    assert derive(0, "weights") == 6579489009559179723
    assert generator(3, "x", 5).initial_seed() == derive(3, "x", 5)
