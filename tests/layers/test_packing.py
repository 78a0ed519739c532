"""Packs of samples: their rows, their logits, and their sensitivity to diversity."""

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
    """A discriminator that sums the values of a sample, with the sample as its features."""

    def forward(self, sample, condition=None):
        return Verdict([sample.flatten(1).sum(1)], [sample])


class Logits(nn.Module):
    """A dense discriminator."""

    def __init__(self, *widths):
        super().__init__()
        self.layers = Dense(*widths, 1)

    def forward(self, sample, condition=None):
        return Verdict([self.layers(sample).squeeze(1)], [])


def test_consecutive_rows_form_a_pack_and_share_its_logit():
    samples = torch.arange(12.0).reshape(6, 2)
    logits, features = Packed(Sums(), 3)(samples)
    assert logits[0].tolist() == [15, 15, 15, 51, 51, 51]
    assert features[0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_images_are_packed_along_channels():
    samples = torch.randn(4, 3, 5, 6, generator=generator(0, "images"))
    _, features = Packed(Sums(), 2)(samples)
    assert features[0].equal(torch.stack([torch.cat([samples[0], samples[1]]), torch.cat([samples[2], samples[3]])]))


@pytest.mark.parametrize(("count", "expected"), [(1, [4]), (2, [6, 6]), (5, [10, 10, 10, 10, 11])])
def test_incomplete_pack_is_filled_up_from_the_first_rows(count, expected):
    samples = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])[:count]
    logits, _ = Packed(Sums(), 4)(samples)
    assert logits[0].tolist() == expected


def test_packs_of_one_leave_the_network_unchanged():
    network = Sums()
    assert packed(network, 1) is network and isinstance(packed(network, 2), Packed)


def test_exact_penalties_count_a_pack_per_row_and_estimates_count_it_once():
    """Every row is in two logits, so its slope is 2 and R1 is 2; differences in random directions average 1."""
    count = 4096
    samples = torch.randn(count, 1, generator=generator(0, "slopes"), dtype=torch.float64).requires_grad_()
    critic = Critic(Packed(Sums(), 2), None, RandomStream(0, 0, count, slice(0, count)))
    assert r1(critic, samples, samples).tolist() == pytest.approx([2.0] * count)
    estimate = finite_r1()(critic, samples, samples)
    assert float(estimate.mean()) == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(("size", "detects"), [(1, False), (2, True)])
def test_packs_detect_samples_that_are_all_of_one_mode(size, detects):
    """Real samples are -1 or 1; so are fakes, but all of a batch are equal: only packs can distinguish them."""
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
    final_loss = sum(losses[-50:]) / 50
    assert (final_loss < 1.15) if detects else (final_loss > 1.3), final_loss
