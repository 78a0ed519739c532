"""Packs of samples: which rows are one, what they score, and that they show variety."""

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from sparring.flow import Verdict
from sparring.layers.dense import Dense
from sparring.layers.packing import Packed, packed
from sparring.objectives.critic import Critic
from sparring.objectives.penalties import finite_r1, r1
from sparring.randomness import RandomStream, generator, seeded


class Sums(nn.Module):
    """The sum over each sample, and the sample itself as its features."""

    def forward(self, sample, condition=None):
        return Verdict([sample.flatten(1).sum(1)], [sample])


class Logits(nn.Module):
    """A dense network."""

    def __init__(self, *widths):
        super().__init__()
        self.layers = Dense(*widths, 1)

    def forward(self, sample, condition=None):
        return Verdict([self.layers(sample).squeeze(1)], [])


def test_rows_in_a_row_are_a_pack_and_share_its_score():
    samples = torch.arange(12.0).reshape(6, 2)
    logits, features = Packed(Sums(), 3)(samples)
    assert logits[0].tolist() == [15, 15, 15, 51, 51, 51]
    assert features[0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_images_are_packed_by_channels():
    samples = torch.randn(4, 3, 5, 6, generator=generator(0, "images"))
    _, features = Packed(Sums(), 2)(samples)
    assert features[0].equal(torch.stack([torch.cat([samples[0], samples[1]]), torch.cat([samples[2], samples[3]])]))


@pytest.mark.parametrize(("count", "expected"), [(1, [4]), (2, [6, 6]), (5, [10, 10, 10, 10, 11])])
def test_a_pack_that_is_not_full_is_filled_from_the_first_rows(count, expected):
    samples = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])[:count]
    logits, _ = Packed(Sums(), 4)(samples)
    assert logits[0].tolist() == expected


def test_packs_of_one_are_the_network_itself():
    network = Sums()
    assert packed(network, 1) is network and isinstance(packed(network, 2), Packed)


def test_exact_slopes_count_a_pack_for_each_of_its_rows_and_estimates_once():
    """Of a sum over two rows each slope is 2, and R1 half its square; rows that move by chance add up to half of it."""
    count = 4096
    samples = torch.randn(count, 1, generator=generator(0, "slopes"), dtype=torch.float64).requires_grad_()
    critic = Critic(Packed(Sums(), 2), None, RandomStream(0, 0, count, slice(0, count)))
    assert r1(critic, samples, samples).tolist() == pytest.approx([2.0] * count)
    estimate = finite_r1()(critic, samples, samples)
    assert float(estimate.mean()) == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(("size", "tells"), [(1, False), (2, True)])
def test_packs_tell_samples_that_are_all_of_one_kind(size, tells):
    """Reals are -1 or 1 by chance; fakes too, but all of a batch alike: one by one they cannot be told apart."""
    with seeded(0, "weights"):
        network = packed(Logits(size, 16), size)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    chance, losses = generator(0, "kinds"), []
    for _ in range(200):
        reals = torch.randint(0, 2, (64, 1), generator=chance) * 2.0 - 1
        fakes = torch.ones(64, 1) * (torch.randint(0, 2, (), generator=chance) * 2.0 - 1)
        (real,), (fake,) = network(reals).logits, network(fakes).logits
        loss = softplus(-real).mean() + softplus(fake).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    told = sum(losses[-50:]) / 50
    assert (told < 1.15) if tells else (told > 1.3), told
