"""Three players: a duel, and a classifier that is trained on the known labels (Springenberg 2016)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sparring.flow import Batch, Latent, Objective, Opinion, Progress, Sample, Turn
from sparring.games.duel import Duel
from sparring.games.game import WHOLE_RUN
from sparring.games.priors import normal
from sparring.objectives.losses import relativistic
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.terms import GeneratorPass
from sparring.randomness import RandomStream


class HalvesGame:
    """Duel whose generator also minimises the entropy of a classifier.

    Args:
        generator: see ``Duel``.
        discriminator: see ``Duel``.
        classifier: samples → logits, (rows, classes).
        latent_size: length of a latent vector.
    """

    published = ("generator", "classifier")
    critics = ("discriminator",)
    phases = WHOLE_RUN

    def __init__(
        self, generator: nn.Module, discriminator: nn.Module, classifier: nn.Module, *, latent_size: int
    ) -> None:
        terms = {"entropy": Weighted(self.entropy, constant(0.1))}
        self.duel = Duel(generator, discriminator, prior=normal(latent_size), loss=relativistic, terms=terms)
        self.players = {**self.duel.players, "classifier": classifier}
        self.controls = self.duel.controls

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Take the turns of the duel, then train the classifier."""
        return [*self.duel.turns(progress), Turn("classifier", self.classifier_objective)]

    def classifier_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise the cross-entropy of rows with a known label, divided by the number of all rows.

        So each labelled row has the same weight however the batch is split, and unlabelled rows give 0.
        """
        logits, label = self.players["classifier"](batch.real), batch.label
        assert label is not None
        return Objective({"labels": cross_entropy(logits, label, ignore_index=-1, reduction="sum") / len(label)})

    def entropy(self, generated: GeneratorPass) -> Tensor:
        """Mean entropy of the classes of generated samples, in nats (Springenberg 2016, eq. 5)."""
        logits = self.players["classifier"](generated.fake).log_softmax(1)
        return -(logits.exp() * logits).sum(1).mean()

    def opinion(self, batch: Batch) -> Opinion:
        """Return the discriminator's logits and the classifier's logits."""
        return self.duel.opinion(batch)._replace(classes=self.players["classifier"](batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """See ``Duel``."""
        return self.duel.latent(random)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """See ``Duel``."""
        return self.duel.generate(latent, condition)
