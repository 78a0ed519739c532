"""The networks of MolGAN (De Cao & Kipf 2018): a dense generator of graphs, and relational graph convolutions."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Literal, TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from sparring.flow import Sample, Verdict
from sparring.layers.choices import normal_to_gumbel
from sparring.modalities.molecules.networks.graphs import BOND_KINDS, Graphs

Discretisation: TypeAlias = Literal["softmax", "gumbel", "straight-through"]
"""What a discriminator sees of generated graphs: probabilities, such with Gumbel noise, or choices with the gradients
of the latter (section 3.1)."""

Activation: TypeAlias = Callable[[Tensor], Tensor]
ActivationName: TypeAlias = Literal["tanh", "leaky ReLU"]
ACTIVATIONS: Mapping[ActivationName, Activation] = {
    "tanh": torch.tanh,
    "leaky ReLU": partial(leaky_relu, negative_slope=0.2),
}


@final
class GraphGenerator(nn.Module):
    """Maps latents to the kinds of all atoms and bonds at once (De Cao & Kipf 2018, section 3.1).

    The latent holds all randomness: the input of the network, and the noise by which kinds are drawn. While it is
    trained, the network returns what ``discretisation`` says; otherwise kinds that are drawn, one-hot. Unlike in the
    paper, a place without an atom has no bonds.

    Args:
        places: atoms of a graph at most.
        kinds: of atoms, one for no atom among them.
        latent_size: numbers of the latent that the network sees.
        widths: units of the hidden layers.
        discretisation: of the graphs that a discriminator sees.
        temperature: τ of the Gumbel softmax.
    """

    def __init__(
        self,
        *,
        places: int,
        kinds: int,
        latent_size: int = 32,
        widths: tuple[int, ...] = (128, 256, 512),
        discretisation: Discretisation = "softmax",
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.places, self.kinds, self.seen_latents = places, kinds, latent_size
        self.discretisation, self.temperature = discretisation, temperature
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise((latent_size, *widths)))
        self.to_atoms = nn.Linear(widths[-1], places * kinds)
        self.to_bonds = nn.Linear(widths[-1], places * places * BOND_KINDS)
        one, other = torch.triu_indices(places, places, 1).unbind()
        pair = torch.zeros(places, places, dtype=torch.int64)
        pair[one, other] = pair[other, one] = torch.arange(len(one))
        self.register_buffer("pair", pair, persistent=False)
        self.register_buffer("between", 1 - torch.eye(places)[..., None], persistent=False)
        self.pair: Tensor
        self.between: Tensor

    @staticmethod
    def latent_size(places: int, kinds: int, seen: int) -> int:
        """Return the length of latents, of which the network sees ``seen`` numbers."""
        return seen + places * kinds + places * (places - 1) // 2 * BOND_KINDS

    def forward(self, latent: Tensor, condition: Sample | None = None) -> Graphs:
        """Map normal latents (batch, latent_size) to graphs."""
        hidden, for_atoms, for_bonds = latent.tensor_split(
            [self.seen_latents, self.seen_latents + self.places * self.kinds], 1
        )
        for layer in self.layers:
            hidden = layer(hidden).tanh()
        atoms = self.to_atoms(hidden).float().unflatten(1, (self.places, self.kinds))
        bonds = self.to_bonds(hidden).float().unflatten(1, (self.places, self.places, BOND_KINDS))
        bonds = (bonds + bonds.transpose(1, 2)) / 2
        drawn = self._chosen(atoms, for_atoms.unflatten(1, (self.places, self.kinds)))
        noise = for_bonds.unflatten(1, (-1, BOND_KINDS))[:, self.pair]
        return with_bonds_of_atoms(drawn, self._chosen(bonds, noise), self.between)

    def _chosen(self, logits: Tensor, noise: Tensor) -> Tensor:
        """Return probabilities or choices of the last dimension."""
        if self.training and self.discretisation == "softmax":
            return logits.softmax(-1)
        noisy = logits + normal_to_gumbel(noise)
        if self.training and self.discretisation == "gumbel":
            return (noisy / self.temperature).softmax(-1)
        chosen = one_hot(noisy.argmax(-1), logits.shape[-1]).to(logits)
        if not self.training:
            return chosen
        soft = (noisy / self.temperature).softmax(-1)
        return chosen + soft - soft.detach()


def with_bonds_of_atoms(
    atoms: Tensor,
    bonds: Tensor,
    between: Tensor,
) -> Graphs:
    """Return graphs whose places have no bonds where they have no atom, nor to themselves.

    No gradient flows from bonds to atoms.

    Args:
        atoms: probabilities of the kinds of atoms, (batch, places, kinds).
        bonds: probabilities of the kinds of bonds between two atoms, (batch, places, places, 4).
        between: 1 for different places, 0 otherwise, (places, places, 1).
    """
    present = (1 - atoms[..., 0]).detach()
    both = present[:, :, None, None] * present[:, None, :, None] * between
    return Graphs(atoms, torch.cat([1 - both * (1 - bonds[..., :1]), both * bonds[..., 1:]], 3))


class RelationalConvolution(nn.Module):
    """Layer on graphs with weights for each kind of bond (Schlichtkrull et al. 2017).

    h'_i = φ(f_s(h_i) + Σ_j Σ_y A_ijy f_y(h_j)) with affine f (De Cao & Kipf 2018, eq. 5). The sum is not divided by
    the number of neighbours, as in their code: the valence of an atom could not be seen otherwise.

    Args:
        before: numbers of an atom.
        after: numbers that are returned for it.
        activation: φ.
    """

    def __init__(self, before: int, after: int, activation: Activation = torch.tanh) -> None:
        super().__init__()
        self.after, self.activation = after, activation
        self.own = nn.Linear(before, after)
        self.messages = nn.Linear(before, (BOND_KINDS - 1) * after)

    def forward(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """Map (batch, places, before) to (batch, places, after).

        Args:
            atoms: numbers of each atom.
            bonds: A without its kind for no bond, (batch, places, 3 · places): neighbours of all kinds in a row.
        """
        messages = self.messages(atoms).unflatten(2, (BOND_KINDS - 1, self.after))  # (batch, places, 3, after)
        received: Tensor = bonds @ messages.transpose(1, 2).flatten(1, 2)
        return self.activation(self.own(atoms) + received)


class GraphEncoder(nn.Module):
    """Relational convolutions, and a gated sum over the atoms (De Cao & Kipf 2018, section 3.2).

    h_G = φ(Σ_v σ(i(h_v, x_v)) φ(j(h_v, x_v))) (eq. 6), which does not depend on the order of the atoms.

    Args:
        kinds: of atoms, one for no atom among them.
        widths: numbers of an atom after each layer.
        size: numbers of a graph.
        activation: φ.
    """

    def __init__(
        self, *, kinds: int, widths: tuple[int, ...] = (64, 32), size: int = 128, activation: Activation = torch.tanh
    ) -> None:
        super().__init__()
        self.activation = activation
        before = [kinds, *(kinds + width for width in widths)]
        self.layers = nn.ModuleList(
            RelationalConvolution(*sizes, activation) for sizes in zip(before, widths, strict=False)
        )
        self.gate, self.value = nn.Linear(before[-1], size), nn.Linear(before[-1], size)

    def forward(self, graphs: Graphs) -> Tensor:
        """Map graphs to (batch, size)."""
        kinds, seen = graphs.atoms, graphs.atoms
        bonds = graphs.bonds[..., 1:].transpose(2, 3).flatten(2)
        for layer in self.layers:
            seen = torch.cat([layer(seen, bonds), kinds], 2)
        gated = self.gate(seen).sigmoid() * self.activation(self.value(seen))
        return self.activation(gated.sum(1))


@final
class GraphCritic(nn.Module):
    """Discriminator or reward network: a graph encoder, a hidden layer and a logit (De Cao & Kipf 2018, section 3.2).

    Args:
        kinds: of atoms, one for no atom among them.
        widths: numbers of an atom after each layer of the encoder.
        size: numbers of a graph, and units of the hidden layer.
        activation: "tanh", as in the paper, or "leaky ReLU", which does not saturate.
        minibatch: features by which graphs of a batch are compared (Salimans et al. 2016, section 3.2); 0 for none.
    """

    def __init__(
        self,
        *,
        kinds: int,
        widths: tuple[int, ...] = (64, 32),
        size: int = 128,
        activation: ActivationName = "tanh",
        minibatch: int = 0,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.encoder = GraphEncoder(kinds=kinds, widths=widths, size=size, activation=self.activation)
        self.hidden, self.score = nn.Linear(size, size), nn.Linear(size + minibatch, 1)
        self.comparison = MinibatchComparison(size, minibatch) if minibatch else None

    def forward(self, sample: Graphs, condition: Sample | None = None) -> Verdict:
        """Map graphs to logits, (batch,), and the encoded graphs, (batch, size)."""
        encoded = self.encoder(sample)
        hidden = self.activation(self.hidden(encoded))
        if self.comparison is not None:
            hidden = torch.cat([hidden, self.comparison(encoded)], 1)
        return Verdict([self.score(hidden)[:, 0]], [encoded])


class MinibatchComparison(nn.Module):
    """Closeness of each sample to the others of its batch (Salimans et al. 2016, section 3.2).

    o(x_i)_b = mean over j ≠ i of exp(-‖M_ib - M_jb‖₁), with M = T f(x); the paper sums.

    Args:
        size: numbers of a sample.
        features: number of features b.
        rank: numbers of a row of M.
    """

    def __init__(self, size: int, features: int, rank: int = 4) -> None:
        super().__init__()
        self.project, self.rank = nn.Linear(size, features * rank, bias=False), rank

    def forward(self, encoded: Tensor) -> Tensor:
        """Map (batch, size) to (batch, features)."""
        rows = self.project(encoded).unflatten(1, (-1, self.rank))  # (batch, features, rank)
        closeness = (-(rows[:, None] - rows[None]).abs().sum(3)).exp()  # (batch, batch, features)
        mean: Tensor = (closeness.sum(1) - 1) / max(1, len(rows) - 1)
        return mean
