"""Adversarial recipes for text, each after maximum likelihood unless it says otherwise."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.modalities.text.recipes.text_recipe import TextRecipe
from sparring.objectives.schedules import constant, geometric, stepped
from sparring.recipe import Adam, LayerSize

if TYPE_CHECKING:
    from sparring.games.game import Game

Share = Annotated[float, Field(ge=0, lt=1)]
Turns = Annotated[int, Field(ge=1, le=100)]


def _optimisers(likelihood_rate: float, rate: float, likelihood_share: float) -> Mapping[str, Adam]:
    """Return Adam with its usual decays for both players, with another rate during maximum likelihood."""
    stages = stepped(likelihood_rate, rate, at=likelihood_share)
    return {
        "generator": Adam(stages, beta1=0.9, beta2=constant(0.999)),
        "discriminator": Adam(constant(rate), beta1=0.9, beta2=constant(0.999)),
    }


@final
class SeqGAN(TextRecipe):
    """Policy gradients: each token is rewarded by how real random completions of it look."""

    paper: ClassVar[str] = "Yu et al. 2017 (SeqGAN), sections 3 and 4, algorithm 1"
    embedding: LayerSize = 32
    """Numbers of an embedded token of the generator."""
    width: LayerSize = 32
    """Units of the generator."""
    rollouts: Annotated[int, Field(ge=1, le=256)] = 16
    """Random completions of each prefix."""
    filters: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Filters of the discriminator, relative to the paper."""
    discriminator_turns: Turns = 15
    """Updates of the discriminator for each of the generator."""
    likelihood_share: Share = 0.8
    """Share of the budget for maximum likelihood."""
    discriminator_share: Share = 0.05
    """Share of the budget after it in which the discriminator learns alone."""
    learning_rate: PositiveFloat = 0.01
    """Learning rate of the generator."""
    discriminator_rate: PositiveFloat = 1e-4
    """Learning rate of the discriminator."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.policy import Policy, Rollouts
        from sparring.layers.tokens.critics import SEQGAN_FILTERS, ConvolutionalCritic, filters_within
        from sparring.layers.tokens.lstm import LSTMPredictor

        coding = coding_of(facts)
        filters = filters_within(SEQGAN_FILTERS, coding.length, self.filters)
        critic = ConvolutionalCritic(vocabulary=coding.tokeniser.size, classes=len(facts.classes), filters=filters)
        return Policy(
            LSTMPredictor(embedding=self.embedding, width=self.width, **predictor_fields(facts)),
            critic,
            rewards=Rollouts(self.rollouts),
            mean_tokens=coding.mean_tokens,
            likelihood_until=self.likelihood_share,
            discriminator_until=self.likelihood_share + self.discriminator_share,
            discriminator_turns=self.discriminator_turns,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays."""
        return {
            "generator": Adam(constant(self.learning_rate), beta1=0.9, beta2=constant(0.999)),
            "discriminator": Adam(constant(self.discriminator_rate), beta1=0.9, beta2=constant(0.999)),
        }


@final
class ScratchGAN(TextRecipe):
    """Policy gradients from the first step on, rewarded token by token, without maximum likelihood."""

    paper: ClassVar[str] = "de Masson d'Autume et al. 2019 (ScratchGAN), section 2"
    batch: Annotated[int, Field(gt=0, le=2**20)] = 256
    """Texts per batch, over all processes: large ones keep the variance of the gradients low."""
    embedding: LayerSize = 64
    """Numbers of an embedded token of the generator."""
    width: LayerSize = 256
    """Units of the generator."""
    discount: Annotated[float, Field(ge=0, le=1)] = 0.23
    """Factor γ by which later rewards count less."""
    discriminator_turns: Turns = 1
    """Updates of the discriminator for each of the generator."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of both players."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.policy import PerToken, Policy
        from sparring.layers.tokens.critics import RecurrentCritic
        from sparring.layers.tokens.lstm import LSTMPredictor

        coding = coding_of(facts)
        return Policy(
            LSTMPredictor(embedding=self.embedding, width=self.width, **predictor_fields(facts)),
            RecurrentCritic(vocabulary=coding.tokeniser.size, classes=len(facts.classes), width=self.width),
            rewards=PerToken(self.discount),
            mean_tokens=coding.mean_tokens,
            likelihood_until=0.0,
            discriminator_until=0.0,
            discriminator_turns=self.discriminator_turns,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with β1 = 0.5, as in the paper."""
        adam = Adam(constant(self.learning_rate), beta1=0.5, beta2=constant(0.999))
        return {"generator": adam, "discriminator": adam}


@final
class RelGAN(TextRecipe):
    """A relational memory whose tokens are relaxed, against a discriminator of many embeddings."""

    paper: ClassVar[str] = "Nie et al. 2019 (RelGAN), section 2 and appendix"
    embedding: LayerSize = 32
    """Numbers of an embedded token of the generator."""
    heads: Annotated[int, Field(ge=1, le=64)] = 2
    """Heads of the attention of the memory."""
    head_size: LayerSize = 256
    """Numbers of a head."""
    representations: Annotated[int, Field(ge=1, le=256)] = 64
    """Embeddings of which the discriminator has one logit each."""
    filters: Annotated[int, Field(ge=1, le=4096)] = 300
    """Filters of each span of 2 to 5 tokens."""
    inverse_temperature: PositiveFloat = 100.0
    """Inverse temperature β at the end; it grows exponentially from 1."""
    discriminator_turns: Turns = 5
    """Updates of the discriminator for each of the generator."""
    likelihood_share: Share = 0.6
    """Share of the budget for maximum likelihood."""
    learning_rate: PositiveFloat = 1e-4
    """Learning rate of both players."""
    likelihood_rate: PositiveFloat = 1e-2
    """Learning rate of the generator during maximum likelihood."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.relaxed import Relaxed
        from sparring.modalities.text.networks.relgan import RelationalPredictor, RepresentationsCritic, relgan_filters

        coding = coding_of(facts)
        critic = RepresentationsCritic(
            vocabulary=coding.tokeniser.size,
            classes=len(facts.classes),
            representations=self.representations,
            embedding=self.representations,
            filters=relgan_filters(coding.length, self.filters),
        )
        return Relaxed(
            RelationalPredictor(
                embedding=self.embedding, heads=self.heads, head_size=self.head_size, **predictor_fields(facts)
            ),
            critic,
            mean_tokens=coding.mean_tokens,
            inverse_temperature=geometric(1.0, self.inverse_temperature, since=self.likelihood_share),
            likelihood_until=self.likelihood_share,
            discriminator_turns=self.discriminator_turns,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays, and another learning rate for maximum likelihood."""
        return _optimisers(self.likelihood_rate, self.learning_rate, self.likelihood_share)


@final
class TextGAN(TextRecipe):
    """Matches the moments of features of a discriminator by a kernel."""

    paper: ClassVar[str] = "Zhang et al. 2017 (TextGAN), section 3"
    embedding: LayerSize = 64
    """Numbers of an embedded token of the generator."""
    width: LayerSize = 256
    """Units of the generator."""
    filters: Annotated[int, Field(ge=1, le=4096)] = 100
    """Filters of each span of 3 to 5 tokens."""
    inverse_temperature: PositiveFloat = 10.0
    """Inverse temperature β at the end; it grows exponentially from 1."""
    discriminator_turns: Turns = 1
    """Updates of the discriminator for each of the generator."""
    likelihood_share: Share = 0.6
    """Share of the budget for maximum likelihood."""
    learning_rate: PositiveFloat = 1e-4
    """Learning rate of both players."""
    likelihood_rate: PositiveFloat = 2e-3
    """Learning rate of the generator during maximum likelihood."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, predictor_fields
        from sparring.games.relaxed import Relaxed
        from sparring.layers.tokens.critics import ConvolutionalCritic
        from sparring.layers.tokens.lstm import LSTMPredictor
        from sparring.modalities.text.networks.relgan import relgan_filters
        from sparring.objectives.losses import non_saturating

        coding = coding_of(facts)
        filters = relgan_filters(coding.length, self.filters, spans=(3, 4, 5))
        return Relaxed(
            LSTMPredictor(embedding=self.embedding, width=self.width, **predictor_fields(facts)),
            ConvolutionalCritic(vocabulary=coding.tokeniser.size, classes=len(facts.classes), filters=filters),
            mean_tokens=coding.mean_tokens,
            inverse_temperature=geometric(1.0, self.inverse_temperature, since=self.likelihood_share),
            likelihood_until=self.likelihood_share,
            discriminator_turns=self.discriminator_turns,
            loss=non_saturating,
            goal="moments",
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with its usual decays, and another learning rate for maximum likelihood."""
        return _optimisers(self.likelihood_rate, self.learning_rate, self.likelihood_share)
