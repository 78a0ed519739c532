"""CTGAN: a conditional WGAN-GP on rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import PositiveFloat

from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.modalities.tables.recipes.table_recipe import EpochsRecipe
from sparring.objectives.schedules import Weighted, constant
from sparring.recipe import Adam, AdversarialRecipe, Chosen, LayerSize, LossName, Machine, PackSize

if TYPE_CHECKING:
    from sparring.games.game import Game

CATEGORY = "category"
"""Name of the condition in ``modalities.tables.conditions``, repeated here because that file imports torch."""


@final
class CTGAN(EpochsRecipe, AdversarialRecipe):
    """The published conditional GAN for tables: modes of numbers, and rows drawn for one of their categories."""

    paper: ClassVar[str] = "Xu et al. 2019 (CTGAN), sections 4.2 to 4.4"
    loss: LossName = "wasserstein"
    """Adversarial loss of both players."""
    penalty_weight: PositiveFloat = 10.0
    """Weight λ of the gradient penalty."""
    packing: PackSize = 10
    """Rows that the discriminator scores together."""
    width: LayerSize = 256
    """Units in each of the two hidden layers of both players."""
    latent_size: LayerSize = 128
    """Random numbers at the input of the generator."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of Adam, for both players."""

    @property
    def constrained(self) -> bool:
        """True: the gradient penalty bounds the slope of the discriminator."""
        return True

    def view(self, facts: Facts) -> View:
        """View rows, with one category of each as the condition if there is a column of categories."""
        from sparring.modalities.tables.coding import coding_of

        has_choice = any(column.is_choice for column in coding_of(facts).learned)
        return View(facts.shape, CATEGORY if has_choice else "")

    def game(self, facts: Facts) -> "Game":
        """Build a duel about packs of rows, with the cross-entropy of the category that is asked for."""
        from sparring.games.duel import Duel
        from sparring.games.priors import normal
        from sparring.modalities.tables.coding import coding_of
        from sparring.modalities.tables.likelihoods import asked_category
        from sparring.modalities.tables.mode_vectors import ModeVectors
        from sparring.modalities.tables.networks.ctgan import Discriminator, Generator
        from sparring.objectives.penalties import packed_gradient_penalty

        encoding = ModeVectors(coding_of(facts).learned)
        terms = {"category": Weighted(asked_category(encoding), constant(1.0))} if encoding.condition_width else {}
        return Duel(
            Generator(encoding=encoding, latent_size=self.latent_size, width=self.width),
            Discriminator(encoding=encoding, width=self.width, packing=self.packing),
            prior=normal(Generator.latent_size(encoding, self.latent_size)),
            loss=self.loss_function(),
            penalties={"gradient": Weighted(packed_gradient_penalty(self.packing), constant(self.penalty_weight))},
            terms=terms,
            normalizer=encoding,
        )

    def optimisers(self) -> Mapping[str, Adam]:
        """Return Adam(2e-4, 0.5, 0.9) for both players; the weights of the generator decay."""
        rate, beta2 = constant(self.learning_rate), constant(0.9)
        return {
            "generator": Adam(rate, beta1=0.5, beta2=beta2, weight_decay=1e-6),
            "discriminator": Adam(rate, beta1=0.5, beta2=beta2),
        }

    def choose(self, facts: Facts, machine: Machine) -> Chosen:
        """Choose 300 epochs, and whole packs for tables that are smaller than a batch."""
        chosen = super().choose(facts, machine)
        if "batch" in chosen and facts.count > self.packing:
            size = facts.count // self.packing * self.packing
            return {**chosen, "batch": (size, f"there are {facts.count} rows, and packs of {self.packing}")}
        return chosen
