"""Networks of series work at any number of steps and channels, and see nothing after the end of a series."""

from typing import Any

import pytest
import torch
from torch import nn

from sparring.modalities.series.coding import Attribute, Channel, Component, Context, SeriesCoding
from sparring.modalities.series.networks import convolutional, embedded, recurrent
from sparring.modalities.series.networks.convolutional import doubled, folded, grids, halved, unfolded
from sparring.modalities.series.networks.encoding import decided, walked
from sparring.modalities.series.scaling import Scaling

SIZES = [(2, 1, 1), (3, 64, 1), (24, 2, 4), (37, 3, 8), (24, 2, 24), (4096, 1, 16)]
"""Steps, channels, and steps of a patch."""


def scaling_of(channels: int, *, changes: bool = True, change: float = 1.0) -> Scaling:
    """Return the scaling of standard normal channels, of which the first may be missing."""
    quantiles = tuple(torch.linspace(-3, 3, 11).tolist())
    found = [Channel(str(n), "continuous", 0.0, 1.0, quantiles, 0.1 if n == 0 else 0.0) for n in range(channels)]
    components = tuple(Component(tuple(row), change) for row in torch.eye(channels).tolist())
    attributes = (Attribute("kind", categories=("a", "b")), Attribute("size"))
    return Scaling(SeriesCoding(tuple(found), attributes, ((1.0, 0.0, 0.0),), components), changes=changes)


def context(steps: int, channels: int, count: int = 3) -> Context:
    """Return contexts of which the first has the full length, the second one step, and the last some known steps."""
    random = torch.Generator().manual_seed(0)
    length = torch.tensor([steps, 1, max(1, steps - 1)] * count)[:count]
    known = torch.zeros(count, steps, channels, dtype=torch.bool)
    known[-1, : steps // 2] = True
    values = torch.randn(count, steps, channels, generator=random, dtype=torch.float64)
    missing = torch.zeros_like(known)
    missing[-1, 0, 0] = True
    attributes = torch.tensor([[0.0, 0.5], [1.0, torch.nan], [1.0, -1.0]] * count, dtype=torch.float64)[:count]
    return Context(length, attributes, values, missing, known)


def convolutions(scaling: Scaling, steps: int, patch: int) -> tuple[nn.Module, nn.Module, int]:
    sizes: dict[str, Any] = {"encoding": scaling, "steps": steps, "patch": patch, "width": 8}
    generator = convolutional.Generator(**sizes, latent_size=4, noise=3)
    size = convolutional.Generator.latent_size(scaling, steps, patch, 4, 3)
    return generator, convolutional.Discriminator(**sizes), size


def recurrences(scaling: Scaling, steps: int, patch: int = 1) -> tuple[nn.Module, nn.Module, int]:
    generator = recurrent.Generator(encoding=scaling, steps=steps, latent_size=4, width=8)
    size = recurrent.Generator.latent_size(scaling, steps, 4)
    return generator, recurrent.Discriminator(encoding=scaling, width=8), size


@pytest.mark.parametrize("build", [convolutions, recurrences])
@pytest.mark.parametrize(("steps", "channels", "patch"), SIZES)
def test_networks_work_at_any_size(build: Any, steps: int, channels: int, patch: int) -> None:
    scaling, given = scaling_of(channels), context(steps, channels)
    generator, discriminator, size = build(scaling, steps, patch)
    numbers = generator(torch.randn(3, size), given)
    assert numbers.shape == (3, steps, scaling.width) and numbers.isfinite().all()
    assert (numbers[1, 1:] == 0).all(), "nothing is after the end"
    known = scaling.normalize(scaling.denormalize(numbers, given))[2, : steps // 2]
    torch.testing.assert_close(numbers[2, : steps // 2], known, atol=1e-5, rtol=1e-5)
    logits = discriminator(numbers, given).logits
    assert len(logits) == 1 and len(logits[0]) == 3 and logits[0].isfinite().all()
    logits[0].sum().backward()
    assert all(weight.grad is not None for weight in discriminator.parameters())


@pytest.mark.parametrize("build", [convolutions, recurrences])
def test_rows_do_not_depend_on_one_another(build: Any) -> None:
    scaling, given = scaling_of(2), context(24, 2, count=6)
    generator, discriminator, size = build(scaling, 24, 4)
    latent = torch.randn(6, size)
    together = generator(latent, given)
    alone = generator(latent[:2], Context(*(part[:2] for part in given)))
    torch.testing.assert_close(together[:2], alone)
    scores = discriminator(together, given).logits[0]
    torch.testing.assert_close(scores[:2], discriminator(alone, Context(*(part[:2] for part in given))).logits[0])


@pytest.mark.parametrize("build", [convolutions, recurrences])
def test_attributes_and_length_change_both_networks(build: Any) -> None:
    scaling, given = scaling_of(2), context(24, 2)
    generator, discriminator, size = build(scaling, 24, 4)
    other = given._replace(attributes=given.attributes.flip(0), known=torch.zeros_like(given.known))
    given = given._replace(known=other.known)
    latent, sample = torch.randn(3, size), torch.randn(3, 24, scaling.width)
    assert not torch.allclose(generator(latent, given)[0], generator(latent, other)[0])
    assert not torch.allclose(discriminator(sample, given).logits[0][0], discriminator(sample, other).logits[0][0])
    longer = given._replace(length=torch.full((3,), 20))
    assert not torch.allclose(generator(latent, given)[0, :20], generator(latent, longer)[0, :20])


def test_recurrent_logits_after_the_end_repeat_those_of_the_series() -> None:
    scaling, given = scaling_of(1), context(5, 1)
    _, discriminator, _ = recurrences(scaling, 5)
    logits = discriminator(torch.randn(3, 5, scaling.width), given).logits[0]
    assert logits.shape == (3, 5) and (logits[1] == logits[1, 0]).all() and logits[2, 4] == logits[2, 0]


def test_recurrent_networks_do_not_look_ahead() -> None:
    scaling, given = scaling_of(1), context(6, 1)
    given = given._replace(known=torch.zeros_like(given.known), length=torch.full((3,), 6))
    generator, _, size = recurrences(scaling, 6)
    latent = torch.randn(3, size)
    changed = latent.clone()
    changed[:, 4 * 5 : 4 * 6] += 1  # The noise of the last step.
    one, other = generator(latent, given), generator(changed, given)
    assert torch.equal(one[:, :5], other[:, :5]) and not torch.equal(one[:, 5], other[:, 5])


def test_codes_and_their_recovery_end_with_the_series() -> None:
    scaling, given = scaling_of(2, changes=False), context(7, 2)
    size = {"width": 6, "layers": 2}
    code = embedded.Embedder(encoding=scaling, **size)(torch.randn(3, 7, scaling.width), given)
    drawn = embedded.Generator(encoding=scaling, latent_size=3, **size)(torch.randn(3, 21), given)
    followed = embedded.Supervisor(**size)(code, given)
    for one in (code, drawn, followed):
        assert one.shape == (3, 7, 6) and (one[1, 1:] == 0).all() and one.min() >= 0 and one.max() <= 1
    numbers = embedded.Recovery(encoding=scaling, **size)(code, given)
    assert numbers.shape == (3, 7, scaling.width) and (numbers[1, 1:] == 0).all()
    assert embedded.Discriminator(encoding=scaling, **size)(code, given).logits[0].shape == (3, 7)


@pytest.mark.parametrize("change", [0.02, 0.5, 1.4, 3.0])
def test_a_walk_of_independent_innovations_has_deviation_one_and_the_changes_of_the_data(change: float) -> None:
    scaling, given = scaling_of(1, change=change), context(64, 1, count=4000)
    given = given._replace(known=torch.zeros_like(given.known))
    random = torch.Generator().manual_seed(0)
    level, innovations = torch.randn(4000, 1, generator=random), torch.randn(4000, 64, 1, generator=random)
    walk = walked(scaling, level, innovations, given)
    assert float(walk.std()) == pytest.approx(1, rel=0.05)
    if change < 2**0.5:
        assert float(walk.diff(dim=1).std()) == pytest.approx(change, rel=0.02)


def test_a_walk_goes_on_from_the_last_known_step() -> None:
    scaling, given = scaling_of(1, change=0.01), context(24, 1)
    walk = walked(scaling, torch.zeros(3, 1), torch.randn(3, 24, 1), given)
    assert abs(float(walk[2, 12, 0]) - float(given.values[2, 11, 0].float())) < 0.1


def test_decisions_have_their_probability_and_a_gradient() -> None:
    logits = torch.full((20_000,), 1.0, requires_grad=True)
    made = decided(logits, torch.randn(20_000, generator=torch.Generator().manual_seed(0)))
    assert set(made.detach().unique().tolist()) == {0, 1}
    assert float(made.detach().mean()) == pytest.approx(torch.tensor(1.0).sigmoid().item(), abs=0.01)
    made.sum().backward()
    assert (logits.grad >= 0).all() and logits.grad.sum() > 0


def test_patches_and_grids() -> None:
    assert grids(24, 2) == [12, 6, 3] and grids(2, 1) == [2] and grids(9, 4) == [3] and grids(24, 24) == [1]
    numbers = torch.arange(18.0).view(1, 9, 2)
    assert folded(numbers, 4).shape == (1, 3, 8)
    assert torch.equal(unfolded(folded(numbers, 4), 4, 9), numbers)
    assert halved(torch.tensor([1.0, 3, 5]).view(1, 3, 1)).flatten().tolist() == [2, 5]
    assert doubled(torch.tensor([1.0, 2]).view(1, 2, 1), 3).flatten().tolist() == [1, 1, 2]
