"""Recipes for pairs of texts: the second one is made from the first one, as in translation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

from pydantic import Field, PositiveFloat

from sparring.data.facts import Facts
from sparring.data.sequences import SOURCE
from sparring.data.view import View
from sparring.modalities.text.recipes.adversarial import Share
from sparring.modalities.text.recipes.text_recipe import TextRecipe
from sparring.objectives.schedules import constant, cosine
from sparring.recipe import Adam, Chosen, LayerSize, Machine
from sparring.sequence_recipe import Dropout

if TYPE_CHECKING:
    from torch import nn

    from sparring.games.game import Game


class TranslationRecipe(TextRecipe):
    """Base of the recipes for pairs: their generator, and the view of texts with their sources."""

    width: LayerSize = 256
    """Numbers of an embedded token, and units of encoder and decoder; even."""
    dropout: Dropout = 0.3
    """Share of the numbers that is dropped in training."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the likelihood that is spread evenly over all tokens (Szegedy et al. 2016, section 7)."""

    def view(self, facts: Facts) -> View:
        """View texts with their sources."""
        return View(facts.shape, SOURCE)

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose the passes through the data.

        Raises:
            SparringError: the data has no pairs.
        """
        from sparring.data.sequences.coding import source_of

        source_of(facts)  # Refuses data without pairs.
        return super().choose(facts, machine)

    def generator(self, facts: Facts) -> "nn.Module":
        """Build the network that generates texts."""
        from sparring.data.sequences.coding import predictor_fields, source_of
        from sparring.layers.tokens.attention import AttentivePredictor

        fields: dict[str, Any] = predictor_fields(facts)
        size = source_of(facts).tokeniser.size
        return AttentivePredictor(source_vocabulary=size, width=self.width, dropout=self.dropout, **fields)


@final
class Translate(TranslationRecipe):
    """A recurrent encoder and a decoder that attends to it, by maximum likelihood."""

    paper: ClassVar[str] = "Luong et al. 2015, section 3.1; Bahdanau et al. 2015, section 3"
    learning_rate: PositiveFloat = 2e-3
    """Learning rate of Adam at the start; it falls to a twentieth of it."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of one player."""
        from sparring.data.sequences.coding import coding_of
        from sparring.games.language import LanguageModel

        return LanguageModel(self.generator(facts), mean_tokens=coding_of(facts).mean_tokens, smoothing=self.smoothing)

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with a learning rate that falls."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate)
        return {"predictor": Adam(rate, beta1=0.9, beta2=constant(0.98))}


@final
class TranslateGAN(TranslationRecipe):
    """After maximum likelihood, policy gradients against a discriminator of pairs, with BLEU in the reward."""

    paper: ClassVar[str] = "Wu et al. 2018 (Adversarial-NMT), section 3; Yang et al. 2018 (BR-CSGAN), section 3"
    judged: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Weight λ of the discriminator in the reward; the rest is that of BLEU against the true text."""
    likelihood_weight: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the likelihood of true texts beside the rewards."""
    filters: Annotated[int, Field(ge=1, le=4096)] = 64
    """Filters of the discriminator of each span of 1 to 4 tokens, on either side."""
    likelihood_share: Share = 0.9
    """Share of the budget for maximum likelihood."""
    discriminator_share: Share = 0.03
    """Share of the budget after it in which the discriminator learns alone."""
    learning_rate: PositiveFloat = 2e-3
    """Learning rate of the generator at the start; it falls to a twentieth by the end of maximum likelihood."""
    discriminator_rate: PositiveFloat = 1e-3
    """Learning rate of the discriminator."""

    def game(self, facts: Facts) -> "Game":
        """Build the game of generator and discriminator."""
        from sparring.data.sequences.coding import coding_of, source_of
        from sparring.games.translation import Translation
        from sparring.layers.tokens.critics import PairCritic, filters_within
        from sparring.modalities.text.translations import similarity

        coding, source, spans = coding_of(facts), source_of(facts), dict.fromkeys(range(1, 5), self.filters)
        critic = PairCritic(
            source_vocabulary=source.tokeniser.size,
            vocabulary=coding.tokeniser.size,
            source_filters=filters_within(spans, source.length),
            filters=filters_within(spans, coding.length),
        )
        return Translation(
            self.generator(facts),
            critic,
            similarity=similarity,
            mean_tokens=coding.mean_tokens,
            judged=self.judged,
            likelihood_until=self.likelihood_share,
            discriminator_until=min(1.0, self.likelihood_share + self.discriminator_share),
            likelihood_weight=self.likelihood_weight,
            smoothing=self.smoothing,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam with a learning rate of the generator that falls during maximum likelihood."""
        rate = cosine(self.learning_rate, 0.05 * self.learning_rate, until=max(0.01, self.likelihood_share))
        return {
            "generator": Adam(rate, beta1=0.9, beta2=constant(0.98)),
            "discriminator": Adam(constant(self.discriminator_rate), beta1=0.9, beta2=constant(0.999)),
        }
