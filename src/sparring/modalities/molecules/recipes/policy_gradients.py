"""Recipes that reward SMILES by an objective and a discriminator, after maximum likelihood."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.molecules.recipes.molecule_recipe import MoleculeRecipe
from sparring.objectives.schedules import constant, stepped
from sparring.recipe import Adam, BatchSize, LayerSize

if TYPE_CHECKING:
    from sparring.games.game import Game
    from sparring.games.policy import Critic, Reward, Rewards

Share = Annotated[float, Field(ge=0, lt=1)]
Turns = Annotated[int, Field(ge=1, le=100)]


class PolicyRecipe(MoleculeRecipe):
    """Base of recipes whose generator follows policy gradients after maximum likelihood."""

    objective: str = "druglikeness"
    """Score that is rewarded: druglikeness, solubility, synthesizability, validity, novelty, uniqueness, a product of
    these such as validity*novelty, or your own as file.py:function of an RDKit molecule."""
    objective_weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Weight 1 - λ of the objective; the probability by the discriminator that a molecule is real has the weight λ.
    With 1 there is no discriminator."""
    embedding: LayerSize = 64
    """Numbers of an embedded token of the generator."""
    width: LayerSize = 256
    """Units of the generator."""
    filters: Annotated[float, Field(gt=0, le=4)] = 0.5
    """Filters of the discriminator, relative to SeqGAN."""
    discriminator_turns: Turns = 1
    """Updates of the discriminator for each of the generator."""
    likelihood_share: Share = 0.6
    """Share of the budget for maximum likelihood."""
    discriminator_share: Share = 0.05
    """Share of the budget after it in which the discriminator learns alone."""
    likelihood_rate: PositiveFloat = 2e-3
    """Learning rate of the generator during maximum likelihood."""
    learning_rate: PositiveFloat = 1e-4
    """Learning rate of the generator afterwards."""
    discriminator_rate: PositiveFloat = 1e-4
    """Learning rate of the discriminator."""

    @abstractmethod
    def rewards(self, reward: "Callable[[Critic | None], Reward]") -> "Rewards":
        """Return the rewards of tokens, by the reward of whole sequences."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.policy import Policy, with_objective
        from sparring.layers.tokens.critics import SEQGAN_FILTERS, ConvolutionalCritic, filters_within
        from sparring.layers.tokens.lstm import LSTMPredictor
        from sparring.modalities.molecules.objectives import MoleculeObjective, ObjectiveReward

        coding = coding_of(facts)
        filters, size = filters_within(SEQGAN_FILTERS, coding.length, self.filters), coding.tokeniser.size
        critic = ConvolutionalCritic(vocabulary=size, classes=len(facts.classes), filters=filters)
        objective = ObjectiveReward(MoleculeObjective(self.objective), facts)
        return Policy(
            LSTMPredictor(embedding=self.embedding, width=self.width, **predictor_fields(facts)),
            critic if self._has_discriminator else None,
            rewards=self.rewards(with_objective(objective, self.objective_weight)),
            mean_tokens=coding.mean_tokens,
            likelihood_until=self.likelihood_share,
            discriminator_until=self.likelihood_share + self.discriminator_share,
            discriminator_turns=self.discriminator_turns,
            on_data=objective.take_data,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays, and another learning rate for maximum likelihood."""
        rates = stepped(self.likelihood_rate, self.learning_rate, at=self.likelihood_share)
        found = {"generator": Adam(rates, beta1=0.9, beta2=constant(0.999))}
        if self._has_discriminator:
            found["discriminator"] = Adam(constant(self.discriminator_rate), beta1=0.9, beta2=constant(0.999))
        return found

    @property
    def _has_discriminator(self) -> bool:
        return self.objective_weight < 1


@final
class ORGAN(PolicyRecipe):
    """Policy gradients by rollouts towards what looks real and scores high by an objective."""

    paper: ClassVar[str] = "Guimaraes et al. 2017 (ORGAN), section 3, eq. 4"
    rollouts: Annotated[int, Field(ge=1, le=256)] = 16
    """Random completions of each prefix."""

    def rewards(self, reward: "Callable[[Critic | None], Reward]") -> "Rewards":
        """Return the mean rewards of random completions."""
        from sparring.games.policy import Rollouts

        return Rollouts(self.rollouts, reward)


@final
class Reinforce(PolicyRecipe):
    """Policy gradients by one reward for a whole molecule: valid, new ones, each of them once."""

    paper: ClassVar[str] = "Williams 1992 (REINFORCE), section 4, with the reward of Guimaraes et al. 2017, eq. 4"
    batch: BatchSize = 128
    """Molecules per batch, over all processes; copies among them share their reward."""
    objective: str = "validity*novelty"
    """Score that is rewarded, as for molecules/organ."""
    objective_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Weight 1 - λ of the objective; the probability by the discriminator that a molecule is real has the weight λ.
    With 1, as by default, there is no discriminator."""
    likelihood_share: Share = 0.65
    """Share of the budget for maximum likelihood."""
    likelihood_rate: PositiveFloat = 5e-3
    """Learning rate of the generator during maximum likelihood."""

    def rewards(self, reward: "Callable[[Critic | None], Reward]") -> "Rewards":
        """Return the reward of the whole molecule for each of its tokens."""
        from sparring.games.policy import Whole

        return Whole(reward)
