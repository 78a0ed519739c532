"""Steps of translation and completion: our trainer against the same networks in the plainest loops written by hand.

    python benchmarks/translation_step.py [--games pix2pix cyclegan …] [--rounds 7] [--steps 3] [--side 64]

Networks as chosen without a GPU, random images in memory, interleaved in one process on two threads. The hand-written
loops are the usual ones: float32, contiguous tensors, one fake batch for both updates, Adam, an averaged generator, and
no gradients of networks that stand still.
"""

import argparse
import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from restoring import facts_of
from rounds import interleaved, setting, stepper
from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss, relu, softplus

from sparring.data.dataset import Dataset
from sparring.games.game import Game
from sparring.modalities.images.conditions import Translation, holed, partnered, reader, small
from sparring.modalities.images.masks import draw_masks
from sparring.randomness import RandomStream, seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES

IMAGES, DOMAINS = 500, ("first", "second")
FIELDS: Mapping[str, dict[str, object]] = {
    "pix2pix": {"width": 32, "target": "second"},
    "cyclegan": {"width": 24, "blocks": 4, "target": "second"},
    "cut": {"width": 24, "blocks": 4, "target": "second"},
    "stargan": {"width": 24, "blocks": 4},
    "fill": {"holes": "strokes"},
    "super-resolution": {},
}
"""Recipe → its fields here: as they are chosen without a GPU."""


class ByHand:
    """Networks, their optimisers, averages, and images in memory: the parts of every hand-written loop."""

    def __init__(self, game: Game, images: Tensor, batch: int, rate: float = 2e-4) -> None:
        self.networks: dict[str, Any] = copy.deepcopy(game.players)
        self.adams = {}
        for name, network in self.networks.items():
            network.to(memory_format=torch.contiguous_format)
            self.adams[name] = torch.optim.Adam(network.parameters(), rate, (0.5, 0.999))
        self.published = [self.networks[name] for name in game.published]
        self.averages = copy.deepcopy(self.published)
        self.images, self.rows = images, batch

    def batch(self) -> Tensor:
        """Return other images, (rows, 3, side, side) in [-1, 1]."""
        return self.images[torch.randint(len(self.images), (self.rows,))].float() / 127.5 - 1

    def learning(self, *names: str) -> None:
        """Only these networks get gradients."""
        for name, network in self.networks.items():
            network.requires_grad_(name in names)

    def update(self, loss: Tensor, *names: str) -> None:
        for name in names:
            self.adams[name].zero_grad()
        loss.backward()
        for name in names:
            self.adams[name].step()

    @torch.no_grad()
    def average(self) -> None:
        for average, network in zip(self.averages, self.published, strict=True):
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 0.001)


def pix2pix(hand: ByHand, latent_size: int) -> None:
    generator, discriminator = hand.networks["generator"], hand.networks["discriminator"]
    x, y = hand.batch(), hand.batch()
    hand.learning("generator")
    fake = generator(2 * torch.rand(hand.rows, latent_size) - 1, x)
    hand.learning("discriminator")
    real_logits, fake_logits = discriminator(y, x).logits[0], discriminator(fake.detach(), x).logits[0]
    hand.update(softplus(-real_logits).mean() + softplus(fake_logits).mean(), "discriminator")
    hand.learning("generator")
    hand.update(softplus(-discriminator(fake, x).logits[0]).mean() + 100 * l1_loss(fake, y), "generator")


def cyclegan(hand: ByHand, latent_size: int) -> None:
    forward, backward = hand.networks["to target"], hand.networks["to source"]
    critics, no_latent = ("target critic", "source critic"), torch.empty(hand.rows, 0)
    x, y = hand.batch(), hand.batch()

    # Both generators.
    hand.learning("to target", "to source")
    as_y, as_x = forward(no_latent, x), backward(no_latent, y)
    cycle = l1_loss(backward(no_latent, as_y), x) + l1_loss(forward(no_latent, as_x), y)
    same = l1_loss(forward(no_latent, y), y) + l1_loss(backward(no_latent, x), x)
    adversarial = sum(
        (hand.networks[name](fake).logits[0] - 1).square().mean()
        for name, fake in zip(critics, (as_y, as_x), strict=True)
    )
    hand.update(adversarial + 10 * cycle + 5 * same, "to target", "to source")

    # Each critic, on fakes of which some are earlier ones.
    for name, fake, real in zip(critics, (as_y.detach(), as_x.detach()), (y, x), strict=True):
        hand.learning(name)
        critic = hand.networks[name]
        places, chosen = torch.randperm(len(critic.fakes))[: hand.rows], torch.rand(hand.rows) < 0.5
        seen = torch.where(chosen.view(-1, 1, 1, 1), critic.fakes[places], fake)
        critic.fakes[places[chosen]] = fake[chosen]
        loss = (critic(real).logits[0] - 1).square().mean() + critic(seen).logits[0].square().mean()
        hand.update(loss / 2, name)


def cut(hand: ByHand, latent_size: int) -> None:
    generator, project, critic = (hand.networks[name] for name in ("generator", "projections", "critic"))
    x, y = hand.batch(), hand.batch()
    hand.learning("generator", "projections")
    inputs = torch.cat([x, y])
    outputs = generator(torch.empty(2 * hand.rows, 0), inputs)

    # The critic.
    fake = outputs[: hand.rows]
    hand.learning("critic")
    loss = (critic(y).logits[0] - 1).square().mean() + critic(fake.detach()).logits[0].square().mean()
    hand.update(loss / 2, "critic")

    # The generator with the projections: patches of outputs against those of inputs.
    hand.learning("generator", "projections")
    adversarial = (critic(fake).logits[0] - 1).square().mean()
    queries, keys, contrasts = generator.encode(outputs), generator.encode(inputs), []
    places = [torch.randperm(one[0, 0].numel())[:256] for one in keys]
    keys, queries = (
        [one.flatten(2)[:, :, at].transpose(1, 2) for one, at in zip(many, places, strict=True)]
        for many in (keys, queries)
    )
    with torch.no_grad():
        known = project(keys)
    for query, key in zip(project(queries), known, strict=True):
        similarity = query @ key.transpose(1, 2) / 0.07
        labels = torch.arange(similarity.shape[1]).expand(len(similarity), -1)
        contrasts.append(2 * cross_entropy(similarity.flatten(0, 1), labels.flatten()))
    hand.update(adversarial + torch.stack(contrasts).mean(), "generator", "projections")


def stargan(hand: ByHand, latent_size: int) -> None:
    generator, critic = hand.networks["generator"], hand.networks["critic"]
    no_latent = torch.empty(hand.rows, 0)

    # The critic, five times, with its gradient penalty and the classification of real images.
    hand.learning("critic")
    for _ in range(5):
        x, own, target = hand.batch(), *torch.randint(len(DOMAINS), (2, hand.rows))
        with torch.no_grad():
            fake = generator(no_latent, Translation(x, target))
        verdict, fake_logits = critic(x), critic(fake).logits[0]
        between = torch.lerp(fake, x, torch.rand(hand.rows, 1, 1, 1)).requires_grad_()
        score = critic(between).logits[0].mean((1, 2)).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
        penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        named = cross_entropy(critic.classify(verdict), own)
        hand.update(fake_logits.mean() - verdict.logits[0].mean() + 10 * penalty + named, "critic")

    # The generator.
    hand.learning("generator")
    fake = generator(no_latent, Translation(x, target))
    verdict, again = critic(fake), generator(no_latent, Translation(fake, own))
    named = cross_entropy(critic.classify(verdict), target)
    hand.update(-verdict.logits[0].mean() + named + 10 * l1_loss(again, x), "generator")


def fill(hand: ByHand, latent_size: int) -> None:
    generator, discriminator = hand.networks["generator"], hand.networks["discriminator"]
    real = hand.batch()
    holes = holed(real, draw_masks("strokes", real, None))
    latent, other = torch.randn(2, hand.rows, latent_size)
    size = holes.mask.sum((1, 2, 3)) * 3
    hand.learning("generator")
    fake = generator(latent, holes)
    hand.learning("discriminator")
    real_logits, fake_logits = discriminator(real, holes).logits[0], discriminator(fake.detach(), holes).logits[0]
    hand.update(relu(1 - real_logits).mean() + relu(1 + fake_logits).mean(), "discriminator")
    hand.learning("generator")
    difference = ((fake - real).abs() * holes.mask).sum((1, 2, 3)) / size
    apart = ((fake - generator(other, holes)).abs() * holes.mask).sum((1, 2, 3)) / size
    ratio = (apart / (latent - other).abs().mean(1)).clamp(max=0.1)
    adversarial = -discriminator(fake, holes).logits[0].mean()
    hand.update(adversarial + 10 * difference.mean() - ratio.mean(), "generator")


def super_resolution(hand: ByHand, latent_size: int) -> None:
    generator, discriminator = hand.networks["generator"], hand.networks["discriminator"]
    real = hand.batch()
    inputs = small(real, 4)
    hand.learning("generator")
    fake = generator(torch.empty(hand.rows, 0), inputs)
    hand.learning("discriminator")
    lead = discriminator(real).logits[0] - discriminator(fake.detach()).logits[0]
    hand.update(softplus(-lead).mean(), "discriminator")
    hand.learning("generator")
    with torch.no_grad():
        true = discriminator(real)
    found = discriminator(fake)
    features = torch.stack([l1_loss(z, x) for x, z in zip(true.features, found.features, strict=True)]).sum()
    adversarial = softplus(true.logits[0] - found.logits[0]).mean()
    hand.update(0.05 * adversarial + 10 * l1_loss(fake, real) + features, "generator")


LOOPS: Mapping[str, Callable[[ByHand, int], None]] = {
    "pix2pix": pix2pix, "cyclegan": cyclegan, "cut": cut, "stargan": stargan, "fill": fill,
    "super-resolution": super_resolution,
}  # fmt: skip


def contestants(name: str, side: int) -> dict[str, Callable[[], None]]:
    """Return one step of each loop for a game."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 3, side, side), dtype=np.uint8)
    tensor = torch.from_numpy(images)
    coding = {"pair": {"sides": list(DOMAINS), "channels": [3, 3]}}
    facts = replace(facts_of(images), classes=DOMAINS, coding=coding)
    recipe = with_fields(RECIPES[f"images/{name}"], {"resolution": side, **FIELDS[name]})
    with seeded(0, "weights"):
        game = recipe.game(facts)
    hand, latent_size = ByHand(game, tensor, recipe.batch), _latent_size(game)

    def by_hand() -> None:
        LOOPS[name](hand, latent_size)
        hand.average()

    # Our trainer reads the same images beside others of them, or computes their condition.
    if name == "pix2pix":
        data = Dataset(images, conditions=images[::-1].copy(), read=reader(recipe.view(facts)))
    elif name in ("fill", "super-resolution"):
        data = Dataset(images, read=reader(recipe.view(facts)))
    else:
        labels = np.arange(IMAGES) % 2 if name == "stargan" else np.ones(IMAGES, np.int64)
        data = Dataset(images, labels, np.arange(IMAGES), partnered(lambda rows: tensor[rows], IMAGES))
    return {"by hand": by_hand, "our trainer": stepper(game, recipe, data, bfloat16=False)}


def _latent_size(game: Game) -> int:
    return game.latent(RandomStream(seed=0, step=0, total=1, rows=slice(0, 1))).shape[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--games", nargs="+", choices=list(LOOPS), default=list(LOOPS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(f"{setting()}\n\n| game | by hand, ms | our trainer, ms | over it |\n|---|---:|---:|---:|")
    for name in options.games:
        one, other = interleaved(contestants(name, options.side), rounds=options.rounds, steps=options.steps).values()
        print(f"| {name} | {1000 * one:.0f} | {1000 * other:.0f} | {100 * (other / one - 1):+.1f} % |", flush=True)


if __name__ == "__main__":
    main()
