"""Translation between domains of which no pairs are known: CycleGAN, contrastive translation (CUT) and StarGAN.

In a batch of these games ``real`` are samples y of the domain to translate into, and the condition is a NamedTuple:
``image``, samples x of other domains, and ``target``, the numbers of the domains to translate into. A sample is one
tensor, and a function of its condition alone: latents are empty.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol, final

import torch
from torch import Tensor, nn
from torch.compiler import is_exporting
from torch.nn.functional import cross_entropy, l1_loss

from sparring.controls import Control
from sparring.errors import SparringError
from sparring.flow import Batch, Cycle, Latent, Objective, Opinion, Progress, Sample, Turn, Verdict
from sparring.games.game import WHOLE_RUN
from sparring.games.pool import Pooled
from sparring.objectives.contrast import patch_contrast
from sparring.objectives.critic import Critic, per_sample
from sparring.objectives.gamma import LEAD, lead
from sparring.objectives.losses import Loss, least_squares, wasserstein
from sparring.objectives.penalties import differentiable, gradient_penalty
from sparring.objectives.statistics import logit_statistics
from sparring.randomness import RandomStream
from sparring.samples import as_float32

STATISTICS_INTERVAL = 16
"""Steps between statistics of the logits."""


@final
class CycleGAN:
    """The game of Zhu et al. (2017): two generators, G: X → Y and F: Y → X, that invert each other.

    Args:
        to_target: G, ``(latent, samples) -> samples``.
        to_source: F, likewise.
        target_critic: D_Y, ``sample -> Verdict``, with its pool of earlier fakes.
        source_critic: D_X, likewise.
        target: number of the domain Y.
        cycle: weight λ of the cycle term.
        identity: weight of the identity term, relative to λ.
    """

    published = ("to target", "to source")
    critics = ("target critic", "source critic")
    phases = WHOLE_RUN

    def __init__(
        self,
        to_target: nn.Module,
        to_source: nn.Module,
        target_critic: Pooled,
        source_critic: Pooled,
        *,
        target: int,
        cycle: float = 10.0,
        identity: float = 0.5,
    ) -> None:
        networks = (to_target, to_source, target_critic, source_critic)
        self.players: dict[str, nn.Module] = dict(zip((*self.published, *self.critics), networks, strict=True))
        self.controls: dict[str, Control] = {}
        self.target, self.cycle, self.identity = target, cycle, identity

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train both generators together, then each critic on what they made."""
        critics = [
            Turn(name, partial(self.critic_objective, name), after=partial(self.remember, name))
            for name in self.critics
        ]
        return [Turn("generators", self.generator_objective, players=self.published), *critics]

    def critic_objective(self, name: str, batch: Batch, progress: Progress) -> Objective:
        """Minimise ½ E (D(y) - 1)² + ½ E D(G(x))² (eq. 1 with the least squares of section 4)."""
        x, y = sides(batch)
        (real, other), generator = ((y, x), "to target") if name == "target critic" else ((x, y), "to source")
        with torch.no_grad():
            fake = progress.made[generator] if generator in progress.made else self._translated(generator, other)
            seen = self._pool(name).exchanged(fake, progress)
        terms, notes = contest(least_squares, self._critic(name, progress), real, seen, progress)
        return Objective(terms, notes, {"fakes": fake})

    def remember(self, name: str, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Store some of the fakes in the critic's pool."""
        self._pool(name).remember(rows["fakes"], progress)

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise both adversarial terms, the cycle and the identity term (eq. 3)."""
        # Samples to translations and back: x → G(x) → F(G(x)), y → F(y) → G(F(y)).
        x, y = sides(batch)
        as_y, as_x = self._translated("to target", x), self._translated("to source", y)
        again_x, again_y = self._translated("to source", as_y), self._translated("to target", as_x)

        # L_GAN(G, D_Y, X, Y) + L_GAN(F, D_X, Y, X), eq. 1, which section 4 halves on the side of the critics alone.
        target, source = self._critic("target critic", progress), self._critic("source critic", progress)
        terms = {
            "adversarial target": 2 * least_squares.generator([], target(as_y).logits),
            "adversarial source": 2 * least_squares.generator([], source(as_x).logits),
            # λ L_cyc(G, F), eq. 2.
            "cycle": self.cycle * (l1_loss(again_x, x) + l1_loss(again_y, y)),
        }

        # L_identity(G, F), section 5.2: what is in the target domain already stays as it is.
        if self.identity:
            same_y, same_x = self._translated("to target", y), self._translated("to source", x)
            terms["identity"] = self.identity * self.cycle * (l1_loss(same_y, y) + l1_loss(same_x, x))
        return Objective(terms, rows={"to target": as_y, "to source": as_x})

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples of the target domain by its critic: the mean logit of their patches."""
        return Opinion(score(self.players["target critic"], batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Return empty latents, (rows, 0)."""
        return random.normal("noise", 0)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Translate by G the samples whose target is Y, and by F all others."""
        assert condition is not None
        forward = condition.target == self.target  # (batch,)
        if is_exporting():
            # An exported graph has no branches that depend on values: both generators translate everything.
            one, other = (self._translated(name, condition.image) for name in self.published)
            return torch.where(forward.view(-1, *[1] * (one.dim() - 1)), one, other)
        if bool(forward.all()):
            return self._translated("to target", condition.image)
        sample = self._translated("to source", condition.image)
        if bool(forward.any()):
            sample[forward] = self._translated("to target", condition.image[forward])
        return sample

    def there_and_back(self, batch: Batch) -> tuple[Cycle, ...]:
        """Return x, G(x) and F(G(x)); and y, F(y) and G(F(y))."""
        x, y = sides(batch)
        as_y, as_x = self._translated("to target", x), self._translated("to source", y)
        return (
            Cycle(x, as_y, self._translated("to source", as_y)),
            Cycle(y, as_x, self._translated("to target", as_x)),
        )

    def _translated(self, generator: str, samples: Sample) -> Sample:
        return as_float32(self.players[generator](samples.new_empty(samples.shape[0], 0), samples))

    def _critic(self, name: str, progress: Progress) -> Critic:
        return Critic(self.players[name], None, progress.random)

    def _pool(self, name: str) -> Pooled:
        critic = self.players[name]
        assert isinstance(critic, Pooled)
        return critic


class Encoder(Protocol):
    """Generator whose features are contrasted."""

    def __call__(self, latent: Latent, condition: Tensor) -> Tensor: ...

    def translated(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the translation of (batch, …) and the features of its input, (batch, channels, height, width) each."""
        ...

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the features of (batch, …) alone."""
        ...


@final
class Contrast:
    """The game of Park et al. (2020), CUT and FastCUT: one generator G, whose patches stay near those of their input.

    Args:
        generator: G = decoder ∘ encoder; an ``Encoder``.
        projections: H, ``list of (batch, patches, channels) -> list of (batch, patches, size)`` of norm 1.
        critic: D, ``sample -> Verdict``.
        target: number of the domain to translate into.
        contrast: weight λ_X of the contrast between x and G(x).
        identity: weight λ_Y of the contrast between y and G(y).
        patches: patches per image and feature map.
        temperature: τ.
    """

    published = ("generator",)
    critics = ("critic",)
    phases = WHOLE_RUN

    def __init__(
        self,
        generator: nn.Module,
        projections: nn.Module,
        critic: nn.Module,
        *,
        target: int,
        contrast: float = 1.0,
        identity: float = 1.0,
        patches: int = 256,
        temperature: float = 0.07,
    ) -> None:
        self.players = {"generator": generator, "projections": projections, "critic": critic}
        self.controls: dict[str, Control] = {}
        self.target, self.contrast, self.identity = target, contrast, identity
        self.patches, self.temperature = patches, temperature

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the generator together with the projections, then the critic on what it made."""
        return [
            Turn("generator", self.generator_objective, players=("generator", "projections")),
            Turn("critic", self.critic_objective),
        ]

    def critic_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise ½ E (D(y) - 1)² + ½ E D(G(x))² (eq. 1 with least squares, appendix C)."""
        x, y = sides(batch)
        with torch.no_grad():
            fake = progress.made["fakes"] if "fakes" in progress.made else self._translated(x)
        critic = Critic(self.players["critic"], None, progress.random)
        return Objective(*contest(least_squares, critic, y, fake, progress))

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise L_GAN(G, D, X, Y) + λ_X L_PatchNCE(G, H, X) + λ_Y L_PatchNCE(G, H, Y) (eq. 5)."""
        # Samples to translations, with the features of their input; x and y in one pass.
        generator: Encoder = self.players["generator"]  # type: ignore[assignment]
        x, y = sides(batch)
        inputs = torch.cat([x, y]) if self.identity else x
        outputs, keys = generator.translated(inputs)
        outputs = outputs.float()

        # L_GAN, whose generator's side is not halved.
        critic, fake = Critic(self.players["critic"], None, progress.random), outputs[: len(x)]
        terms = {"adversarial": 2 * least_squares.generator([], critic(fake).logits)}

        # L_PatchNCE, eq. 3: the patches of a translation against those of its input.
        queries = generator.encode(outputs)
        places = [self._places(progress.random, number, one) for number, one in enumerate(keys)]
        terms["contrast"] = self.contrast * self._patch_contrast(queries, keys, places, slice(None, len(x)))
        if self.identity:
            found = self._patch_contrast(queries, keys, places, slice(len(x), None))
            terms["identity contrast"] = self.identity * found
        return Objective(terms, rows={"fakes": fake})

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the critic: the mean logit of their patches."""
        return Opinion(score(self.players["critic"], batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Return empty latents, (rows, 0)."""
        return random.normal("noise", 0)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Translate into the target domain.

        Raises:
            SparringError: another domain is asked for.
        """
        assert condition is not None
        # An exported graph checks no values.
        if not is_exporting() and not bool((condition.target == self.target).all()):
            raise SparringError(
                found="a domain that this model does not translate into",
                expected="the domain that it was trained to translate into: this game has one direction",
                remedy="leave the domain out, or train another model for the other direction",
            )
        return self._translated(condition.image)

    def _translated(self, samples: Sample) -> Sample:
        return as_float32(self.players["generator"](samples.new_empty(samples.shape[0], 0), samples))

    def _patch_contrast(self, queries: list[Tensor], keys: list[Tensor], places: list[Tensor], rows: slice) -> Tensor:
        """Return the mean of PatchNCE over feature maps; no gradient flows through the features of the input."""
        project = self.players["projections"]
        with torch.no_grad():
            known = project([at(one[rows], where) for one, where in zip(keys, places, strict=True)])
        found = project([at(one[rows], where) for one, where in zip(queries, places, strict=True)])
        contrasts = [patch_contrast(*pair, temperature=self.temperature) for pair in zip(found, known, strict=True)]
        return torch.stack(contrasts).mean()

    def _places(self, random: RandomStream, number: int, features: Tensor) -> Tensor:
        """Draw different places of a feature map for each row, (rows, patches)."""
        count = features[0, 0].numel()
        return random.uniform(f"places/{number}", count).topk(min(self.patches, count), dim=1).indices


class Classifying(Protocol):
    """Discriminator that also tells classes, from the features of its verdict."""

    def __call__(self, sample: Sample, condition: Sample | None = None) -> Verdict: ...

    def classify(self, verdict: Verdict) -> Tensor:
        """Return logits, (batch, classes)."""
        ...


@final
class StarGAN:
    """The game of Choi et al. (2018): one generator G(x, c) between several domains, and a critic that names domains.

    ``real`` are samples of all domains, of which ``target`` is the own one. In training they are translated into random
    domains; the samples of the condition serve to judge the game.

    Args:
        generator: G, ``(latent, condition) -> samples``.
        critic: D_src and D_cls; a ``Classifying`` discriminator.
        domains: number of domains.
        classification: weight λ_cls.
        reconstruction: weight λ_rec.
        penalty: weight λ_gp of the gradient penalty.
        critic_turns: updates of the critic per update of the generator, each on a batch of its own.
    """

    published = ("generator",)
    critics = ("critic",)
    phases = WHOLE_RUN

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        domains: int,
        classification: float = 1.0,
        reconstruction: float = 10.0,
        penalty: float = 10.0,
        critic_turns: int = 5,
    ) -> None:
        self.players = {"generator": generator, "critic": critic}
        self.controls: dict[str, Control] = {}
        self.domains, self.critic_turns = domains, critic_turns
        self.classification, self.reconstruction, self.penalty = classification, reconstruction, penalty

    def turns(self, progress: Progress) -> Sequence[Turn]:
        """Train the critic, then the generator."""
        return [
            Turn("critic", self.critic_objective, times=self.critic_turns),
            Turn("generator", self.generator_objective),
        ]

    def critic_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise -L_adv + λ_cls L_cls of real samples (eqs. 5 and 8)."""
        # Samples to translations into random domains, c ~ uniform.
        with torch.no_grad():
            fake = self._translated(batch, self._random_domains(progress))
        real, fake = differentiable(batch.real), differentiable(fake)

        # L_adv of eq. 8 with its gradient penalty, and L_cls of eq. 2.
        critic = Critic(self.players["critic"], None, progress.random)
        terms, notes = contest(wasserstein, critic, real, fake, progress)
        terms["penalty"] = self.penalty * gradient_penalty(critic, real, fake).mean()
        terms["classification"] = self.classification * self._classification(critic, real, domains_of(batch))
        return Objective(terms, notes)

    def generator_objective(self, batch: Batch, progress: Progress) -> Objective:
        """Minimise L_adv + λ_cls L_cls of translations + λ_rec L_rec (eq. 6)."""
        # Samples to translations G(x, c) and back into their own domain, G(G(x, c), c').
        target = self._random_domains(progress)
        fake = self._translated(batch, target)
        again = self._translated(batch._replace(real=fake), domains_of(batch))

        # L_adv of eq. 8, L_cls of eq. 3, L_rec of eq. 4.
        critic = Critic(self.players["critic"], None, progress.random)
        return Objective(
            {
                "adversarial": wasserstein.generator([], critic(fake).logits),
                "classification": self.classification * self._classification(critic, fake, target),
                "reconstruction": self.reconstruction * l1_loss(again, batch.real),
            }
        )

    def opinion(self, batch: Batch) -> Opinion:
        """Score samples by the critic: the mean logit of their patches."""
        return Opinion(score(self.players["critic"], batch.real))

    def latent(self, random: RandomStream) -> Latent:
        """Return empty latents, (rows, 0)."""
        return random.normal("noise", 0)

    def generate(self, latent: Latent, condition: Sample | None) -> Sample:
        """Translate the samples of the condition into its targets."""
        return as_float32(self.players["generator"](latent, condition))

    def there_and_back(self, batch: Batch) -> tuple[Cycle, ...]:
        """Return x, G(x, c) and G(G(x, c), c') with c' the domain of the real samples x and c the next one."""
        own = domains_of(batch)
        there = self._translated(batch, (own + 1) % self.domains)
        return (Cycle(batch.real, there, self._translated(batch._replace(real=there), own)),)

    def _translated(self, batch: Batch, target: Tensor) -> Sample:
        """Translate the real samples of a batch."""
        assert batch.condition is not None
        condition = batch.condition._replace(image=batch.real, target=target)
        return self.generate(batch.real.new_empty(len(target), 0), condition)

    def _classification(self, critic: Critic, samples: Sample, domains: Tensor) -> Tensor:
        """Return -E log D_cls(c | x)."""
        network: Classifying = self.players["critic"]  # type: ignore[assignment]
        return cross_entropy(network.classify(critic(samples)).float(), domains)

    def _random_domains(self, progress: Progress) -> Tensor:
        return progress.random.integers("target", self.domains)


def sides(batch: Batch) -> tuple[Sample, Sample]:
    """Return x, the samples to translate, and y, those of the target domain."""
    assert batch.condition is not None
    return batch.condition.image, batch.real


def domains_of(batch: Batch) -> Tensor:
    """Return the domains of the real samples, (batch,) int64."""
    assert batch.condition is not None
    target: Tensor = batch.condition.target
    return target


def contest(
    loss: Loss, critic: Critic, real: Sample, fake: Sample, progress: Progress
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the critic's side of the loss as the term "adversarial", and the notes of the contest."""
    # Statistics differentiate with respect to the samples.
    noted = progress.step % STATISTICS_INTERVAL == 0
    if noted:
        real, fake = (one if one.requires_grad else differentiable(one) for one in (real, fake))
    real_logits, fake_logits = critic(real).logits, critic(fake).logits
    with torch.no_grad():
        notes = {LEAD: lead(real_logits, fake_logits)}
    if noted:
        notes |= logit_statistics(critic, real, fake)
        # Constant, and logged because rules of the watchdog on the lead hold for paired losses only.
        notes["paired"] = torch.full_like(notes[LEAD], float(loss.paired))
    return {"adversarial": loss.discriminator(real_logits, fake_logits)}, notes


def score(critic: nn.Module, samples: Tensor) -> Tensor:
    """Return the sum of a critic's logits, of patches their mean, (batch,)."""
    return torch.stack([per_sample(logits).float() for logits in critic(samples).logits]).sum(0)


def at(features: Tensor, places: Tensor) -> Tensor:
    """Return the features, (batch, channels, height, width), at places (batch, patches): (batch, patches, channels)."""
    flat = features.flatten(2)  # (batch, channels, height · width)
    return flat.gather(2, places[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)
