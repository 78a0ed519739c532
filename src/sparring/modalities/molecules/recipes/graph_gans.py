"""GANs on graphs of molecules: all atoms and bonds at once, with an objective if one is given."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.objectives.schedules import Weighted, constant, cosine, geometric
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, Chosen, Gamma, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.duel import Duel
    from sparring.games.game import Game
    from sparring.modalities.molecules.graphs import GraphCoding
    from sparring.modalities.molecules.networks.molgan import GraphCritic, GraphGenerator
    from sparring.objectives.terms import Term

EPOCHS, MOST = 300, 20_000_000
"""Passes through the data (De Cao & Kipf 2018, section 5.1), and molecules to see at most."""
REWARD_SINCE = 0.5
"""Share of the budget at which the objective begins to count: after half of it, as in section 5.1."""
LEGALITY_SINCE, LEGALITY_GROWTH = 0.3, 10.0
"""Share of the budget from which the weight of legality grows, and by which factor: earlier it costs variety."""
INITIAL_GAMMA, GAMMA_RATE, MIN_GAMMA_RATIO = 0.3, 0.002, 1e-3
"""Weight of R1 and R2 at the start of a run that finds it, and where a run cannot; its relative change per step, and
its lower bound relative to the start."""

Turns = Annotated[int, Field(ge=1, le=100)]


class GraphRecipe(AdversarialRecipe):
    """Base of the GANs on graphs."""

    modality: ClassVar[str] = "molecules"
    samples: Samples = 1_500_000
    """Real molecules to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 32
    """Molecules per batch, over all processes."""
    discretisation: Literal["softmax", "gumbel", "straight-through"]
    """What the discriminator sees of generated graphs: probabilities, such with Gumbel noise, or choices."""
    legality: NonNegativeFloat
    """Weight of bonds beyond the valences, and of pairs of atoms that no path connects; 0 for none."""
    objective: str = ""
    """What generated molecules are rewarded for, as for molecules/organ, such as druglikeness; nothing by default."""
    adversarial_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Weight λ of everything else where there is an objective, whose weight is 1 − λ."""
    width: LayerSize = 128
    """Units in the first layer of the generator; the second has twice, the third four times as many."""
    discriminator_width: LayerSize = 64
    """Numbers of an atom after the first relational convolution; half as many after the second, twice for a graph."""
    latent_size: LayerSize = 32
    """Random numbers at the input of the generator."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam, for all players."""

    @property
    def constrained(self) -> bool:
        """True: penalties bound the slope of the discriminator."""
        return True

    @abstractmethod
    def duel(self, coding: "GraphCoding") -> "Duel":
        """Build the game without an objective."""

    @abstractmethod
    def adam(self) -> Adam:
        """Return the optimiser settings of all players."""

    def view(self, facts: Facts) -> View:
        """View molecules as graphs."""
        from sparring.modalities.molecules.graphs import FORM, graph_coding_of

        return View(graph_coding_of(facts).shape, options={"form": FORM})

    def game(self, facts: Facts) -> "Game":
        """Build a duel about graphs, with a network that predicts the objective if there is one."""
        from sparring.games.rewarded import Rewarded
        from sparring.modalities.molecules.graph_rewards import GraphScore
        from sparring.modalities.molecules.graphs import graph_coding_of
        from sparring.modalities.molecules.objectives import MoleculeObjective

        coding = graph_coding_of(facts)
        duel = self.duel(coding)
        if not self.objective:
            return duel
        score = GraphScore(MoleculeObjective(self.objective), facts)
        reward = self.critic(coding, "tanh")
        return Rewarded(duel, reward, score=score, share=self.adversarial_share, duel_until=REWARD_SINCE)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return the same settings for all players."""
        players = ("generator", "discriminator", "reward") if self.objective else ("generator", "discriminator")
        return dict.fromkeys(players, self.adam())

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data."""
        samples = min(EPOCHS * facts.count, MOST)
        return {"samples": (samples, f"{samples / max(1, facts.count):.0f} passes through {facts.count:,} molecules")}

    def generator(self, coding: "GraphCoding") -> "GraphGenerator":
        """Return the generator."""
        from sparring.modalities.molecules.networks.molgan import GraphGenerator

        places, kinds = coding.shape
        return GraphGenerator(
            places=places,
            kinds=kinds,
            latent_size=self.latent_size,
            widths=(self.width, 2 * self.width, 4 * self.width),
            discretisation=self.discretisation,
        )

    def critic(
        self, coding: "GraphCoding", activation: Literal["tanh", "leaky ReLU"], minibatch: int = 0
    ) -> "GraphCritic":
        """Return a network that scores graphs."""
        from sparring.modalities.molecules.networks.molgan import GraphCritic

        width = self.discriminator_width
        sizes = (width, max(1, width // 2))
        return GraphCritic(
            kinds=coding.shape[1], widths=sizes, size=2 * width, activation=activation, minibatch=minibatch
        )

    def terms(self, coding: "GraphCoding", growth: float = 1.0) -> "dict[str, Weighted[Term]]":
        """Return what the generator minimises beside the loss; the weight of legality grows by a factor."""
        from sparring.modalities.molecules.legality import legality

        if not self.legality:
            return {}
        weight = geometric(self.legality / growth, self.legality, since=LEGALITY_SINCE)
        return {"legality": Weighted(legality(coding), weight)}


@final
class MolGAN(GraphRecipe):
    """The published GAN on graphs: relational convolutions against a dense generator, by WGAN-GP."""

    paper: ClassVar[str] = "De Cao & Kipf 2018 (MolGAN), sections 3 and 4"
    loss: LossName = "wasserstein"
    """Adversarial loss of both players."""
    discretisation: Literal["softmax", "gumbel", "straight-through"] = "softmax"
    """What the discriminator sees of generated graphs: probabilities, such with Gumbel noise, or choices."""
    legality: NonNegativeFloat = 0.0
    """Weight of bonds beyond the valences, and of pairs of atoms that no path connects; 0 for none, as in the paper."""
    penalty_weight: PositiveFloat = 10.0
    """Weight λ of the gradient penalty."""
    minibatch_features: Annotated[int, Field(ge=0, le=1024)] = 0
    """Features by which the discriminator compares the graphs of a batch; 0 for none."""
    critic_turns: Turns = 5
    """Updates of the discriminator for each of the generator."""

    def duel(self, coding: "GraphCoding") -> "Duel":
        """Build the duel of the paper."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.molecules.networks.molgan import GraphGenerator
        from sparring.objectives.penalties import gradient_penalty

        return Duel(
            self.generator(coding),
            self.critic(coding, "tanh", self.minibatch_features),
            prior=normal(GraphGenerator.latent_size(*coding.shape, self.latent_size)),
            loss=self.loss_function(),
            penalties={"gradient": Weighted(gradient_penalty, constant(self.penalty_weight))},
            terms=self.terms(coding),
            discriminator_turns=self.critic_turns,
        )

    def adam(self) -> Adam:
        """Return Adam with its usual decays."""
        return Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999))


@final
class MoleculeGAN(GraphRecipe):
    """A GAN on graphs that keeps them legal and different: relativistic pairing, and matching of features."""

    paper: ClassVar[str] = (
        "Huang et al. 2024 (R3GAN), section 2, with the networks of De Cao & Kipf 2018 (MolGAN) and the kernel of "
        "Zhang et al. 2017 (TextGAN), section 3.2"
    )
    batch: BatchSize = 64
    """Molecules per batch, over all processes."""
    loss: LossName = "relativistic"
    """Adversarial loss of both players."""
    gamma: Gamma = "auto"
    """Weight γ of the penalties R1 and R2: a number, or auto to hold the discriminator's lead at a set point."""
    penalty_every: PositiveInt = 2
    """Penalties are computed on every n-th molecule of a batch, and count n times."""
    discretisation: Literal["softmax", "gumbel", "straight-through"] = "straight-through"
    """What the discriminator sees of generated graphs: probabilities, such with Gumbel noise, or choices."""
    legality: NonNegativeFloat = 1.0
    """Weight at the end of bonds beyond the valences, and of pairs of atoms that no path connects; a tenth at first."""
    moments: NonNegativeFloat = 2.0
    """Weight of the distance between the features of real and of generated molecules, by which these stay different."""

    def duel(self, coding: "GraphCoding") -> "Duel":
        """Build the duel."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.molecules.networks.molgan import GraphGenerator
        from sparring.objectives.gamma import automatic
        from sparring.objectives.penalties import r1, r2, sparse
        from sparring.objectives.terms import moment_matching

        gamma = self.constant_gamma(self.gamma, INITIAL_GAMMA, zero_centred=True)
        weight = constant(1.0 if gamma is None else gamma)
        matching = {"moments": Weighted(moment_matching, constant(self.moments))} if self.moments else {}
        return Duel(
            self.generator(coding),
            self.critic(coding, "leaky ReLU"),
            prior=normal(GraphGenerator.latent_size(*coding.shape, self.latent_size)),
            loss=self.loss_function(),
            penalties={
                name: Weighted(sparse(penalty, self.penalty_every), weight)
                for name, penalty in (("r1", r1), ("r2", r2))
            },
            terms={**self.terms(coding, LEGALITY_GROWTH), **matching},
            gamma=automatic(INITIAL_GAMMA, GAMMA_RATE, MIN_GAMMA_RATIO) if gamma is None else None,
        )

    def adam(self) -> Adam:
        """Return Adam with β1 = 0, and a learning rate that falls to a twentieth."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return Adam(rate, beta1=0.0, beta2=constant(0.99))
