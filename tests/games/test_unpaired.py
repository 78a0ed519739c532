"""Games of unpaired translation: CycleGAN, contrast of patches (CUT) and StarGAN."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.flow import Batch, Objective, Progress
from sparring.games.game import Role, roles
from sparring.games.pool import Pooled
from sparring.modalities.images.conditions import Translation, partnered
from sparring.modalities.images.rooms import IMAGES
from sparring.objectives.contrast import patch_contrast
from sparring.randomness import RandomStream, seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.samples import take as take_rows
from sparring.training.checkpoint import load_checkpoint, restore, save_checkpoint, take
from sparring.training.plan import Plan
from sparring.training.trainer import Trainer
from sparring.watchdog.signals import Observer

NAMES = ("images/cyclegan", "images/cut", "images/fastcut", "images/stargan")
ALL = pytest.mark.parametrize("name", NAMES)
FACTS = Facts("noise", "images", 40, (1, 8, 8), "0" * 64, classes=("dark", "light"))
SMALL = {"resolution": 8, "width": 8, "blocks": 1, "batch": 6}


def data(name: str) -> Dataset:
    """Return light noise, each beside dark noise; for a game of all domains both, each beside dark noise."""
    random = np.random.default_rng(0)
    light = random.integers(128, 256, (40, 1, 8, 8), dtype=np.uint8)
    dark = torch.from_numpy(random.integers(0, 128, (30, 1, 8, 8), dtype=np.uint8))
    labels = np.ones(40, np.int64)
    if not RECIPES[name].view(FACTS).options["target"]:
        light[::2] -= 128
        labels[::2] = 0
    return Dataset(light, labels, np.arange(40), partnered(lambda rows: dark[rows], 30))


def trainer(name: str, **numbers: Any) -> Trainer:
    """Return a trainer of the game on noise of two domains: ``trainer("images/cut", micro_batch=4)``."""
    small = {**SMALL, **({"critic_turns": 2} if "stargan" in name else {}), **({"pool": 10} if "cycle" in name else {})}
    recipe = with_fields(RECIPES[name], small)
    with seeded(0, "weights"):
        game = recipe.game(FACTS)
    plan = Plan(recipe.optimisers(), **{"batch": 6, "samples": 60, **numbers})
    return Trainer(game, data(name), plan)


def played(one: Trainer) -> Trainer:
    for _ in one:
        pass
    return one


def one_batch(one: Trainer, turn: str) -> tuple[Batch, Progress]:
    """Return the first batch and the progress of a turn."""
    progress = one.progress
    random = progress.random.substream(f"{turn}/0")
    return one._batch(0), Progress(progress.step, progress.samples, progress.fraction, random)


def logits(one: Trainer, critic: str, samples: Tensor) -> Tensor:
    return one.game.players[critic](samples).logits[0]


@ALL
def test_terms_of_parts_of_a_batch_add_up_to_those_of_the_whole(name: str) -> None:
    """Places of patches and of the pool, and random domains, belong to the rows of the whole batch."""
    one = trainer(name)
    for _ in range(3):
        one.advance()
    for turn in one.game.turns(one.progress):
        batch, progress = one_batch(one, turn.name)
        whole = turn.objective(batch, progress).terms
        sums = dict.fromkeys(whole, 0.0)
        for rows in (slice(0, 1), slice(1, 6)):
            random = replace(progress.random, rows=rows)
            part = turn.objective(take_rows(batch, rows), replace(progress, random=random)).terms
            for term, value in part.items():
                sums[term] += float(value.detach()) * (rows.stop - rows.start) / 6
        assert sums == pytest.approx({term: float(value.detach()) for term, value in whole.items()}, rel=1e-3, abs=1e-5)


@ALL
def test_resume_continues_bit_for_bit(name: str, tmp_path: Path) -> None:
    straight, stopped, resumed = trainer(name), trainer(name), trainer(name)
    for _ in range(2):
        stopped.advance()
    save_checkpoint(tmp_path, stopped)
    snapshot, _, complaints = load_checkpoint(tmp_path)
    restore(resumed, snapshot)
    expected, found = take(played(straight)), take(played(resumed))
    assert not complaints
    for one, other in ((found.players, expected.players), (found.optimisers, expected.optimisers)):
        assert one.keys() == other.keys() and one
        assert all(torch.equal(one[key], other[key]) for key in one)


@ALL
def test_turns_have_the_roles_by_which_the_watchdog_knows_them(name: str) -> None:
    one = trainer(name)
    found = roles(one.game, one.progress)
    critics = {turn for turn, role in found.items() if role == Role.CRITIC}
    assert critics == set(one.game.critics) and len(found) == len(critics) + 1
    assert set(found.values()) == {Role.CRITIC, Role.PUBLISHED}


@ALL
def test_the_watchdog_sees_the_contest(name: str) -> None:
    """All signals of critics and of samples are there, and finite."""
    one = trainer(name)
    observer = Observer(one, Split(one.data, one.data, FACTS), IMAGES, 0)
    one.advance()
    observer.step()
    found = observer.observe()
    for signal in ("lead", "overlap", "sure", "real slope", "fake slope", "diversity", "distance", "outside"):
        assert np.isfinite(found[signal]), signal
    assert found["generator gradient"] > 0 and found["discriminator gradient"] > 0 and found["paired"] == 0


@ALL
def test_scores_are_mean_logits_of_patches(name: str) -> None:
    one = trainer(name)
    batch = one._batch(0)
    score = one.game.opinion(batch).score
    assert score is not None and score.shape == (6,)
    torch.testing.assert_close(score, logits(one, one.game.critics[0], batch.real).mean((1, 2)))


def test_cyclegan_minimises_the_terms_of_its_paper() -> None:
    """Equations 1 to 3 and section 5.2, computed anew."""
    one = trainer("images/cyclegan")
    players = one.game.players
    batch, progress = one_batch(one, "generators")
    x, y = batch.condition.image, batch.real
    forward, backward = (
        lambda z, name=name: players[name](z.new_empty(6, 0), z) for name in ("to target", "to source")
    )
    terms = one.game.generator_objective(batch, progress).terms
    expected = {
        "adversarial target": (logits(one, "target critic", forward(x)) - 1).square().mean(),
        "adversarial source": (logits(one, "source critic", backward(y)) - 1).square().mean(),
        "cycle": 10 * (l1_loss(backward(forward(x)), x) + l1_loss(forward(backward(y)), y)),
        "identity": 5 * (l1_loss(forward(y), y) + l1_loss(backward(x), x)),
    }
    assert terms.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(terms[name], term)
    for critic, real, fake in (("target critic", y, forward(x)), ("source critic", x, backward(y))):
        batch, progress = one_batch(one, critic)
        found = one.game.critic_objective(critic, batch, progress).terms["adversarial"]
        halves = (logits(one, critic, real) - 1).square().mean(), logits(one, critic, fake).square().mean()
        torch.testing.assert_close(found, sum(halves) / 2)


def test_cyclegan_translates_into_the_domain_that_is_asked_for() -> None:
    """By its first generator into that of training, by the second into the other one, row by row."""
    game = trainer("images/cyclegan").game
    images = torch.rand(4, 1, 8, 8) * 2 - 1
    empty = images.new_empty(4, 0)
    with torch.no_grad():
        into = [game.players[name](empty, images) for name in ("to source", "to target")]
        for targets in ([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]):
            found = game.generate(empty, Translation(images, torch.tensor(targets)))
            expected = torch.stack([into[target][row] for row, target in enumerate(targets)])
            torch.testing.assert_close(found, expected)


def test_cut_translates_into_one_domain_only() -> None:
    game = trainer("images/cut").game
    images = torch.zeros(2, 1, 8, 8)
    assert game.generate(images, Translation(images, torch.tensor([1, 1]))).shape == images.shape
    with pytest.raises(SparringError, match="one direction"):
        game.generate(images, Translation(images, torch.tensor([1, 0])))


def test_patch_contrast_is_the_cross_entropy_of_the_same_place() -> None:
    """By hand, patch by patch, against negatives of the same image alone."""
    queries, keys = (nn.functional.normalize(torch.randn(2, 5, 3), dim=2) for _ in range(2))
    expected = []
    for image in range(2):
        for place in range(5):
            similar = (keys[image] @ queries[image, place]) / 0.07
            expected.append(torch.logsumexp(similar, 0) - similar[place])
    torch.testing.assert_close(patch_contrast(queries, keys, temperature=0.07), torch.stack(expected).mean())
    other = torch.cat([keys[:1], -keys[1:]])
    first = [patch_contrast(queries[:1], one[:1], temperature=0.07) for one in (keys, other)]
    assert first[0] == first[1]


@pytest.mark.parametrize(("name", "weights"), [("images/cut", (1, 1)), ("images/fastcut", (10, 0))])
def test_contrast_is_between_patches_of_input_and_translation(name: str, weights: tuple[float, float]) -> None:
    """All patches are contrasted here, so their order does not matter."""
    one = trainer(name)
    generator, project = one.game.players["generator"], one.game.players["projections"]
    batch, progress = one_batch(one, "generator")
    terms = one.game.generator_objective(batch, progress).terms

    def contrast(images: Tensor) -> Tensor:
        both = images, generator(images.new_empty(6, 0), images)
        known, found = (project([part.flatten(2).mT for part in generator.encode(part)]) for part in both)
        each = [patch_contrast(a, b, temperature=0.07) for a, b in zip(found, known, strict=True)]
        return torch.stack(each).mean()

    torch.testing.assert_close(terms["contrast"], weights[0] * contrast(batch.condition.image))
    assert ("identity contrast" in terms) == bool(weights[1])
    if weights[1]:
        torch.testing.assert_close(terms["identity contrast"], weights[1] * contrast(batch.real))


def test_projections_are_trained_and_not_published() -> None:
    one = trainer("images/cut")
    before = take(one).players
    one.advance()
    after = take(one).players
    moved = {key.split("/")[1] for key in before if not torch.equal(before[key], after[key])}
    assert moved >= {"generator", "projections", "critic"} and one.game.published == ("generator",)


def test_stargan_minimises_the_terms_of_its_paper() -> None:
    """Equations 2 to 6 and 8, computed anew but for the penalty."""
    one = trainer("images/stargan")
    generator, critic = one.game.players["generator"], one.game.players["critic"]
    batch, progress = one_batch(one, "generator")
    target, own, real = progress.random.integers("target", 2), batch.label, batch.real
    fake = generator(real.new_empty(6, 0), Translation(real, target))
    again = generator(real.new_empty(6, 0), Translation(fake, own))
    expected = {
        "adversarial": -critic(fake).logits[0].mean(),
        "classification": cross_entropy(critic.classify(critic(fake)), target),
        "reconstruction": 10 * l1_loss(again, real),
    }
    terms = one.game.generator_objective(batch, progress).terms
    assert terms.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(terms[name], term)
    found = one.game.critic_objective(batch, progress).terms
    torch.testing.assert_close(found["adversarial"], critic(fake).logits[0].mean() - critic(real).logits[0].mean())
    torch.testing.assert_close(found["classification"], cross_entropy(critic.classify(critic(real)), own))
    assert found["penalty"] > 0


@pytest.mark.parametrize(
    ("name", "generator", "critic"),
    [("images/cyclegan", "generators", "target critic"), ("images/cut", "generator", "critic")],
)
def test_critics_see_what_the_generators_of_the_same_step_made(name: str, generator: str, critic: str) -> None:
    """They make nothing again: with what is known of the step the objective is that without, before the update."""
    one = trainer(name)
    turns = {turn.name: turn for turn in one.game.turns(one.progress)}
    assert next(iter(turns)) == generator
    made = turns[generator].objective(*one_batch(one, generator)).rows
    batch, progress = one_batch(one, critic)
    expected = turns[critic].objective(batch, progress).terms["adversarial"]
    for player in one.game.published:
        nn.init.zeros_(next(one.game.players[player].parameters()).requires_grad_(False))
    made = {key: sample.detach() for key, sample in made.items()}
    found = turns[critic].objective(batch, replace(progress, made=made)).terms["adversarial"]
    torch.testing.assert_close(found, expected)
    assert not torch.isclose(turns[critic].objective(batch, progress).terms["adversarial"], expected)


def test_terms_have_no_weight_that_does_nothing() -> None:
    one = trainer("images/cyclegan")
    one.game.identity = 0.0
    batch, progress = one_batch(one, "generators")
    assert set(one.game.generator_objective(batch, progress).terms) == {
        "adversarial target",
        "adversarial source",
        "cycle",
    }


def pool(size: int = 10) -> Pooled:
    return Pooled(nn.Identity(), (1,), size)


def at_step(step: int, rows: slice = slice(0, 6)) -> Progress:
    return Progress(step, 6 * step, 0.0, RandomStream(0, step, 6, rows))


def steps_of(one: Pooled, count: int, change: Callable[[Tensor, int], Tensor]) -> None:
    for step in range(count):
        one.remember(change(torch.full((6, 1), float(step)), step), at_step(step))


def test_the_pool_fills_before_fakes_are_replaced() -> None:
    one, fakes = pool(), torch.ones(6, 1)
    assert torch.equal(one.exchanged(fakes, at_step(0)), fakes)
    steps_of(one, 12, lambda fakes, step: fakes)
    assert one.filled.all() and len(one.fakes.unique()) > 2


def test_half_of_the_fakes_are_replaced_by_earlier_ones_and_take_their_places() -> None:
    one = pool()
    steps_of(one, 30, lambda fakes, step: fakes)
    replaced, changed = 0, 0
    for step in range(30, 130):
        fakes, before = torch.full((6, 1), float(step)), one.fakes.clone()
        seen = one.exchanged(fakes, at_step(step))
        earlier = (seen != fakes).squeeze(1)
        assert all(value in before for value in seen[earlier])
        one.remember(fakes, at_step(step))
        replaced, changed = replaced + int(earlier.sum()), changed + int((one.fakes != before).sum())
    assert replaced == changed and 240 < replaced < 360


def test_the_pool_replaces_the_same_rows_in_any_parts_of_a_batch() -> None:
    one = pool()
    steps_of(one, 20, lambda fakes, step: fakes + torch.arange(6)[:, None] / 10)
    fakes = torch.arange(6.0)[:, None] + 1000
    whole = one.exchanged(fakes, at_step(20))
    parts = [one.exchanged(fakes[rows], at_step(20, rows)) for rows in (slice(0, 1), slice(1, 4), slice(4, 6))]
    assert torch.equal(torch.cat(parts), whole) and not torch.equal(whole, fakes)


@pytest.mark.parametrize("size", [0, 4])
def test_rows_beyond_the_pool_are_never_replaced(size: int) -> None:
    one = pool(size)
    steps_of(one, 20, lambda fakes, step: fakes)
    for step in range(20, 40):
        fakes = torch.full((6, 1), 1000.0)
        assert torch.equal(one.exchanged(fakes, at_step(step))[size:], fakes[size:])
    assert one.filled.all()


def test_objectives_are_pure() -> None:
    """The pool does not move in the objective, which may be computed again."""
    one = trainer("images/cyclegan")
    for _ in range(3):
        one.advance()
    before = {key: value.clone() for key, value in one.game.players["target critic"].state_dict().items()}
    found: list[Objective] = []
    for _ in range(2):
        batch, progress = one_batch(one, "target critic")
        found.append(one.game.critic_objective("target critic", batch, progress))
    assert torch.equal(*(objective.terms["adversarial"] for objective in found))
    after = one.game.players["target critic"].state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert before["filled"].any()
