"""Three players: a duel, and a classifier that learns from the labels that are known (Springenberg 2016)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.duel import Duel
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.objectives.losses import relativistic
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.terms import Attempt
from sparring.randomness import RandomStream


class HalvesGame:
    """A duel whose generator also makes samples of which a classifier is sure.

    Args:
        generator: see ``Duel``.
        discriminator: see ``Duel``.
        classifier: samples → logits, (rows, classes).
        latent_size: length of the latent vector.
    """

    published = ("generator", "classifier")
    critics = ("discriminator",)
    phases = WHOLE_RUN

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, classifier: nn.Module, *, latent_size: int
    ) -> None:
        terms = {"doubt": Weighted(self.doubt, constant(0.1))}
        self.duel = Duel(generator, discriminator, prior=normal(latent_size), loss=relativistic, terms=terms)
        self.players = {**self.duel.players, "classifier": classifier}
        self.controls = self.duel.controls

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Those of the duel, then the classifier."""
        return [*self.duel.turns(progress), Turn("classifier", self.classifier_objective)]

    def classifier_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Cross entropy of the labels that are known, per row, known or not.

        So each known row counts the same, however the batch is split, and rows without any give 0.
        """
        logits, label = self.players["classifier"](batch.real), batch.label
        assert label is not None
        return Objective({"labels": cross_entropy(logits, label, ignore_index=-1, reduction="sum") / len(label)})

    def doubt(self, attempt: Attempt) -> Tensor:
        """Entropy of the class of generated samples, in nats (Springenberg 2016, eq. 5)."""
        logits = self.players["classifier"](attempt.fake).log_softmax(1)
        return -(logits.exp() * logits).sum(1).mean()

    def opinion(self, batch: Batch) -> Opinion:
        """How real the discriminator takes points for, and which class the classifier."""
        return self.duel.opinion(batch)._replace(classes=self.players["classifier"](batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """See ``Duel``."""
        return self.duel.latent(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """See ``Duel``."""
        return self.duel.generate(latent, condition)
