"""Terms that pull generated graphs towards legal molecules: atoms within their valence, and all of them connected."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu

from sparring.modalities.molecules.graphs import GraphCoding
from sparring.modalities.molecules.networks.graphs import BOND_KINDS, Graphs
from sparring.objectives.terms import GeneratorPass, Term


def legality(coding: GraphCoding) -> Term:
    """Return the term on generated graphs: bonds beyond the valences, and pairs of atoms that no path connects.

    Args:
        coding: of the graphs, with the valences of the training data.
    """
    valences = torch.tensor([0.0, *coding.valences])

    def term(generated: GeneratorPass) -> Tensor:
        # Bonds move, and atoms stay: the fewer of them, the more easily they would be legal.
        graphs = Graphs(generated.fake.atoms.detach(), generated.fake.bonds)
        return (excess_valence(graphs, valences.to(graphs.atoms)) + unconnected(graphs)).mean()

    return term


def excess_valence(graphs: Graphs, valences: Float[Tensor, " kinds"]) -> Float[Tensor, " batch"]:
    """Return the orders of bonds beyond the valence of their atom, summed over the atoms."""
    orders = torch.arange(BOND_KINDS, dtype=graphs.bonds.dtype, device=graphs.bonds.device)
    used = (graphs.bonds @ orders).sum(2)  # (batch, places)
    return relu(used - graphs.atoms @ valences).sum(1)


def unconnected(graphs: Graphs) -> Float[Tensor, " batch"]:
    """Return the pairs of atoms that no path connects, divided by the number of places; with gradients to close them.

    S ← min(S S, 1) from S = A + 1 doubles the length of the paths that count. Where two parts are not connected, the
    gradient at zero is larger for each pair of atoms that a bond would connect.
    """
    places = graphs.atoms.shape[1]
    present = 1 - graphs.atoms[..., 0]
    within = (1 - graphs.bonds[..., 0]) + torch.eye(places, device=graphs.atoms.device)
    length = 1
    while length < places - 1:
        within, length = (within @ within).clamp(max=1), 2 * length
    pairs = present[:, :, None] * present[:, None]
    return (pairs * (1 - within.clamp(max=1))).sum((1, 2)) / places
