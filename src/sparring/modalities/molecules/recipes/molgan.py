"""MolGAN: a GAN on graphs of molecules, with an objective if one is given."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field, NonNegativeFloat, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.objectives.schedules import Weighted, constant
from sparring.recipe import Adam, AdversarialRecipe, BatchSize, Chosen, LayerSize, LossName, Machine, Samples

if TYPE_CHECKING:
    from sparring.games.game import Game

EPOCHS, MOST = 300, 20_000_000
"""Passes through the data (De Cao & Kipf 2018, section 5.1), and molecules to see at most."""
REWARD_SINCE = 0.5
"""Share of the budget at which the objective begins to count: after half of it, as in section 5.1."""


@final
class MolGAN(AdversarialRecipe):
    """Graphs of molecules, all atoms and bonds at once; with an objective, which a network learns to predict."""

    modality: ClassVar[str] = "molecules"
    paper: ClassVar[str] = "De Cao & Kipf 2018 (MolGAN), sections 3 and 4"
    samples: Samples = 1_500_000
    """Real molecules to see when neither --samples nor --minutes is given."""
    batch: BatchSize = 32
    """Molecules per batch, over all processes."""
    loss: LossName = "wasserstein"
    """Adversarial loss of both players."""
    penalty_weight: PositiveFloat = 10.0
    """Weight λ of the gradient penalty."""
    discretisation: Literal["softmax", "gumbel", "straight-through"] = "softmax"
    """What the discriminator sees of generated graphs: probabilities, such with Gumbel noise, or choices."""
    legality: NonNegativeFloat = 0.0
    """Weight of bonds beyond the valences and of unconnected atoms, which the paper does not punish; 0 for none."""
    width: LayerSize = 128
    """Units in the first layer of the generator; the second has twice, the third four times as many."""
    discriminator_width: LayerSize = 64
    """Numbers of an atom after the first relational convolution; half as many after the second, twice for a graph."""
    minibatch_features: Annotated[int, Field(ge=0, le=1024)] = 0
    """Features by which the discriminator compares the graphs of a batch; 0 for none."""
    latent_size: LayerSize = 32
    """Random numbers at the input of the generator."""
    objective: str = ""
    """What generated molecules are rewarded for, as for molecules/organ, such as druglikeness; nothing by default."""
    adversarial_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Weight λ of the adversarial loss where there is an objective, which has the weight 1 − λ."""
    critic_turns: Annotated[int, Field(ge=1, le=100)] = 5
    """Updates of the discriminator for each of the generator."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of Adam, for all players."""

    @property
    def constrained(self) -> bool:
        """True: the gradient penalty bounds the slope of the discriminator."""
        return True

    def view(self, facts: Facts) -> View:
        """View molecules as graphs."""
        from sparring.modalities.molecules.graphs import FORM, graph_coding_of

        return View(graph_coding_of(facts).shape, options={"form": FORM})

    def game(self, facts: Facts) -> "Game":
        """Build a duel about graphs, with a network that predicts the objective if there is one."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.games.rewarded import Rewarded
        from sparring.modalities.molecules.graph_rewards import GraphScore
        from sparring.modalities.molecules.graphs import graph_coding_of
        from sparring.modalities.molecules.legality import legality
        from sparring.modalities.molecules.networks.molgan import GraphCritic, GraphGenerator
        from sparring.modalities.molecules.objectives import MoleculeObjective
        from sparring.objectives.penalties import gradient_penalty

        coding = graph_coding_of(facts)
        places, kinds = coding.shape
        width = self.discriminator_width
        networks = [
            GraphCritic(kinds=kinds, widths=(width, max(1, width // 2)), size=2 * width, minibatch=minibatch)
            for minibatch in (self.minibatch_features, 0)
        ]
        terms = {"legality": Weighted(legality(coding), constant(self.legality))} if self.legality else {}
        duel = Duel(
            GraphGenerator(
                places=places,
                kinds=kinds,
                latent_size=self.latent_size,
                widths=(self.width, 2 * self.width, 4 * self.width),
                discretisation=self.discretisation,
            ),
            networks[0],
            prior=normal(GraphGenerator.latent_size(places, kinds, self.latent_size)),
            loss=self.loss_function(),
            penalties={"gradient": Weighted(gradient_penalty, constant(self.penalty_weight))},
            terms=terms,
            discriminator_turns=self.critic_turns,
        )
        if not self.objective:
            return duel
        score = GraphScore(MoleculeObjective(self.objective), facts)
        return Rewarded(duel, networks[1], score=score, share=self.adversarial_share, duel_until=REWARD_SINCE)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays for all players."""
        adam = Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999))
        players = ("generator", "discriminator", "reward") if self.objective else ("generator", "discriminator")
        return dict.fromkeys(players, adam)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data."""
        samples = min(EPOCHS * facts.count, MOST)
        return {"samples": (samples, f"{samples / max(1, facts.count):.0f} passes through {facts.count:,} molecules")}
