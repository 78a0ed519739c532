"""The networks of MolGAN and its term for legal graphs."""

from itertools import product

import pytest
import torch
from torch import Tensor

from sparring.flow import Batch
from sparring.modalities.molecules.chemistry import Structure
from sparring.modalities.molecules.graphs import BOND_KINDS, GraphCoding, Graphs, OneHot, fitting, stored
from sparring.modalities.molecules.legality import excess_valence, unconnected
from sparring.modalities.molecules.networks.molgan import (
    GraphCritic,
    GraphEncoder,
    GraphGenerator,
    MinibatchComparison,
    RelationalConvolution,
)
from sparring.randomness import generator

PLACES, KINDS = 5, 4
CODING = GraphCoding(4, ("C", "N", "O"), (4, 3, 2))


def random_graphs(count: int) -> Graphs:
    """Return graphs of probabilities."""
    numbers = generator(0, "graphs")
    atoms = torch.rand(count, PLACES, KINDS, generator=numbers).softmax(2)
    bonds = torch.rand(count, PLACES, PLACES, BOND_KINDS, generator=numbers)
    return Graphs(atoms, (bonds + bonds.transpose(1, 2)).softmax(3))


def graphs_of(*structures: Structure) -> Graphs:
    assert fitting(structures, CODING).all()
    rows = stored(structures, CODING)
    return OneHot(CODING)(Batch(type(rows)(*map(torch.from_numpy, rows)))).real


def test_a_relational_convolution_sums_messages_over_neighbours_and_kinds_of_bonds() -> None:
    """Equation 5 of De Cao & Kipf (2018) in loops, without its division by the number of neighbours."""
    graphs, layer = random_graphs(2), RelationalConvolution(KINDS, 3)
    weights, biases = layer.messages.weight.view(3, 3, KINDS), layer.messages.bias.view(3, 3)
    expected = torch.zeros(2, PLACES, 3)
    for row, one in product(range(2), range(PLACES)):
        total = layer.own(graphs.atoms[row, one])
        for other, kind in product(range(PLACES), range(3)):
            message = weights[kind] @ graphs.atoms[row, other] + biases[kind]
            total = total + graphs.bonds[row, one, other, 1 + kind] * message
        expected[row, one] = total.tanh()
    bonds = graphs.bonds[..., 1:].transpose(2, 3).flatten(2)
    torch.testing.assert_close(layer(graphs.atoms, bonds), expected)


def test_a_graph_is_a_gated_sum_over_its_atoms() -> None:
    """Equation 6 of De Cao & Kipf (2018), without a convolution."""
    graphs, encoder = random_graphs(3), GraphEncoder(kinds=KINDS, widths=(), size=6)
    total = torch.stack([encoder.gate(x).sigmoid() * encoder.value(x).tanh() for x in graphs.atoms.unbind(1)]).sum(0)
    torch.testing.assert_close(encoder(graphs), total.tanh())


def test_the_discriminator_does_not_see_the_order_of_the_atoms() -> None:
    graphs, critic = random_graphs(8), GraphCritic(kinds=KINDS, widths=(8, 4), size=16, minibatch=3)
    order = torch.randperm(PLACES, generator=generator(1, "order"))
    moved = Graphs(graphs.atoms[:, order], graphs.bonds[:, order][:, :, order])
    torch.testing.assert_close(critic(graphs).logits, critic(moved).logits)
    changed = Graphs(graphs.atoms, graphs.bonds.flip(3))
    assert not torch.allclose(critic(graphs).logits[0], critic(changed).logits[0], atol=1e-3)


def test_minibatch_features_are_one_where_samples_are_equal_and_zero_where_they_are_far_apart() -> None:
    comparison = MinibatchComparison(4, 2)
    one, other = torch.ones(1, 4), 1e4 * torch.eye(4)
    torch.testing.assert_close(comparison(one.expand(3, 4)), torch.ones(3, 2))
    torch.testing.assert_close(comparison(other), torch.zeros(4, 2))


@pytest.mark.parametrize("discretisation", ["softmax", "gumbel", "straight-through"])
def test_generated_graphs_are_symmetric_and_have_bonds_between_two_atoms_only(discretisation: str) -> None:
    network = GraphGenerator(places=PLACES, kinds=KINDS, latent_size=4, widths=(8,), discretisation=discretisation)
    latent = torch.randn(32, GraphGenerator.latent_size(PLACES, KINDS, 4), generator=generator(0, "latent"))
    trained, drawn = network(latent), network.eval()(latent)
    for graphs in (trained, drawn):
        torch.testing.assert_close(graphs.bonds, graphs.bonds.transpose(1, 2))
        for part in graphs:
            torch.testing.assert_close(part.sum(-1), torch.ones(part.shape[:-1]))
        assert (graphs.bonds.diagonal(dim1=1, dim2=2)[:, 0] == 1).all()
    assert set(drawn.atoms.unique().tolist()) == set(drawn.bonds.unique().tolist()) == {0.0, 1.0}
    none = drawn.atoms[..., 0] == 1
    assert none.any() and (drawn.bonds[none][..., 0] == 1).all() and (drawn.bonds[..., 0] == 0).any()
    if discretisation == "straight-through":
        torch.testing.assert_close(trained, drawn)
    (trained.bonds[..., 1:].sum() + trained.atoms[..., 1].sum()).backward()
    assert all(weight.grad.isfinite().all() and weight.grad.any() for weight in network.parameters())


def test_kinds_are_drawn_by_their_probabilities() -> None:
    network = GraphGenerator(places=2, kinds=3, latent_size=1, widths=(2,))
    count = 20_000
    latent = torch.randn(count, GraphGenerator.latent_size(2, 3, 1), generator=generator(0, "latent"))
    latent[:, 0] = 0.3
    expected, drawn = network(latent), network.eval()(latent)
    for one, other in zip(expected, drawn, strict=True):
        torch.testing.assert_close(other.mean(0), one.mean(0), atol=0.015, rtol=0)


PROPANE = Structure(("C", "C", "C"), bytes((0, 1, 1, 1, 2, 1)))
METHANE_AND_ETHENE = Structure(("C", "C", "C"), bytes((0, 1, 2)))
OVERFULL = Structure(("O", "N", "C"), bytes((0, 1, 2, 0, 2, 3, 1, 2, 1)))


def test_excess_valences_and_unconnected_pairs_are_counted() -> None:
    graphs = graphs_of(PROPANE, METHANE_AND_ETHENE, OVERFULL)
    valences = torch.tensor([0.0, *CODING.valences])
    torch.testing.assert_close(excess_valence(graphs, valences), torch.tensor([0.0, 0.0, 3.0]))
    torch.testing.assert_close(unconnected(graphs), torch.tensor([0.0, 4 / 4, 0.0]))


def test_the_gradient_of_unconnected_pairs_asks_for_a_bond_between_the_parts() -> None:
    graphs = graphs_of(METHANE_AND_ETHENE)
    bonds = graphs.bonds.requires_grad_()
    (slope,) = torch.autograd.grad(unconnected(graphs._replace(bonds=bonds)).sum(), bonds)
    missing: Tensor = slope[0, :, :, 0]
    assert missing[0, 2] > 0 and missing[2, 1] > 0 and missing[0, 1] == 0 and missing[2, 3] == 0
