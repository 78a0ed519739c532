"""The training loop: micro-batches, memory, numbers that are not finite, precision, schedules, controls."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.controls import Control
from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.events import AnyEvent
from sparring.flow import Batch, Figures, Objective, Phase, Progress, Turn, Verdict
from sparring.games.duel import Duel
from sparring.games.priors import normal
from sparring.modalities.images.networks import dcgan, dense, residual
from sparring.objectives.gamma import automatic
from sparring.objectives.losses import LOSSES
from sparring.objectives.penalties import dragan, finite_r1, gradient_penalty, r1, r2, sparse
from sparring.objectives.schedules import Weighted, constant
from sparring.objectives.terms import feature_matching
from sparring.training.distributed import World
from sparring.training.plan import Plan
from sparring.training.trainer import NotFinite, Trainer, layout_of

Make = Callable[..., Any]
PENALTIES = {
    "r1": Weighted(r1, constant(0.5)),
    "r2": Weighted(r2, constant(0.5)),
    "sparse r2": Weighted(sparse(r2, 3), constant(0.5)),
    "gradient penalty": Weighted(gradient_penalty, constant(0.5)),
}


def weights(trainer: Trainer) -> dict[str, Tensor]:
    found = {}
    for kind, game in (("player", trainer.game), ("average", trainer.average)):
        for name, player in game.players.items():
            found |= {f"{kind}/{name}/{key}": value.clone() for key, value in player.state_dict().items()}
    return found


def played(game: Any, data: Dataset, plan: Plan, **choices: Any) -> Trainer:
    trainer = Trainer(game, data, plan, **choices)
    for _ in trainer:
        pass
    return trainer


@pytest.mark.parametrize("micro_batch", [16, 7, 1])
def test_micro_batches_give_the_weights_of_the_whole_batch(
    micro_batch: int, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    choices = {"penalties": PENALTIES, "discriminator_turns": 2}
    whole = played(tiny_duel(**choices), blob, plan(samples=320))
    parts = played(tiny_duel(**choices), blob, plan(samples=320, micro_batch=micro_batch))
    torch.testing.assert_close(weights(parts), weights(whole), rtol=1e-5, atol=1e-6)
    for turn in ("discriminator", "generator"):
        for kind in ("terms", "notes"):
            found, expected = (dict(getattr(one.figures, kind)[turn]) for one in (parts, whole))
            # The share of real logits above the mean of the fakes is the one figure that depends on the micro-batch.
            assert (found.pop("sure", None) is None) == (expected.pop("sure", None) is None)
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    for kind in ("gradients", "controls"):
        assert getattr(parts.figures, kind) == pytest.approx(getattr(whole.figures, kind), rel=1e-4, abs=1e-6)


class LimitedMemory(nn.Module):
    """Discriminator that runs out of memory on more than ``room`` samples."""

    def __init__(self, discriminator: nn.Module, room: int) -> None:
        super().__init__()
        self.discriminator, self.room = discriminator, room

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
        if len(sample) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate more than there is.")
        return self.discriminator(sample, condition)


def with_limited_memory(duel: Duel, room: int) -> Duel:
    players = duel.players["generator"], LimitedMemory(duel.players["discriminator"], room)
    return Duel(*players, prior=duel.prior, loss=duel.loss, penalties=duel.penalties)


def test_out_of_memory_halves_the_micro_batch_and_changes_nothing_else(
    tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    events: list[AnyEvent] = []
    choices = {"penalties": PENALTIES}
    whole = played(with_limited_memory(tiny_duel(**choices), room=32), blob, plan())
    small = played(
        with_limited_memory(tiny_duel(**choices), room=10),
        blob,
        plan(),
        on_event=events.append,
    )
    assert small.micro_batch == 8 and whole.micro_batch == 32
    assert [event.kind for event in events] == ["micro-batch halved"] * 2
    assert "micro-batches of 16" in events[0].sentence and "micro-batches of 8" in events[1].sentence
    torch.testing.assert_close(weights(small), weights(whole), rtol=1e-5, atol=1e-6)


def test_out_of_memory_on_the_generators_turn_halves_the_micro_batch(
    tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    duel = tiny_duel()
    trainer = Trainer(duel, blob, plan(micro_batch=16))
    trainer.advance()
    failing = [True]

    def fail_once(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        if torch.is_grad_enabled() and failing:
            failing.clear()
            raise torch.OutOfMemoryError("CUDA out of memory.")

    duel.players["generator"].register_forward_hook(fail_once)
    for _ in trainer:
        pass
    assert trainer.micro_batch == 8 and trainer.samples == 640


def test_out_of_memory_on_a_single_sample_is_an_error(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        played(with_limited_memory(tiny_duel(), room=0), blob, plan())


class NanAtPasses(nn.Module):
    """Generator that returns NaN at the training passes ``bad``."""

    def __init__(self, generator: nn.Module, bad: range) -> None:
        super().__init__()
        self.generator, self.bad, self.passes = generator, bad, 0

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        self.passes += torch.is_grad_enabled()
        factor = float("nan") if torch.is_grad_enabled() and self.passes in self.bad else 1.0
        return self.generator(latent, condition) * factor


def with_nan_at(duel: Duel, bad: range) -> Duel:
    return Duel(
        NanAtPasses(duel.players["generator"], bad), duel.players["discriminator"], prior=normal(4), loss=duel.loss
    )


def test_updates_that_are_not_finite_are_skipped(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    kinds: list[str] = []
    trainer = Trainer(
        with_nan_at(tiny_duel(), range(3, 6)), blob, plan(), on_event=lambda event: kinds.append(event.kind)
    )
    before: dict[str, Tensor] = {}
    for progress in trainer:
        if progress.step == 2:
            before = weights(trainer)
        if progress.step == 5:
            assert kinds == ["update skipped"] * 3
            assert trainer.guard.skipped["generator"] == 3
            for name in (name for name in before if name.startswith("player/generator")):
                assert torch.equal(weights(trainer)[name], before[name])
    assert trainer.guard.skipped["generator"] == 0 and trainer.guard.total == 3
    assert all(value.isfinite().all() for value in weights(trainer).values())


def test_five_skipped_updates_in_a_row_end_the_run(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(with_nan_at(tiny_duel(), range(3, 100)), blob, plan())
    with pytest.raises(NotFinite, match="generator that is not finite, 5 times in a row"):
        for _ in trainer:
            pass
    assert trainer.step == 6
    assert all(value.isfinite().all() for value in weights(trainer).values())


def test_no_gradient_is_left_after_the_trainer_gives_up(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(with_nan_at(tiny_duel(), range(3, 8)), blob, plan())
    with pytest.raises(NotFinite):
        for _ in trainer:
            pass
    trainer.guard.skipped.clear()
    trainer.advance()
    assert trainer.guard.total == 5


@pytest.mark.parametrize("penalty", [r1, gradient_penalty, dragan, finite_r1()])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_penalties_stay_float32_under_bfloat16(
    loss: str, penalty: Any, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    dtypes: set[torch.dtype] = set()

    class Recording(nn.Module):
        def __init__(self, discriminator: nn.Module) -> None:
            super().__init__()
            self.discriminator = discriminator

        def forward(self, sample: Tensor, condition: Tensor | None = None) -> Verdict:
            verdict = self.discriminator(sample, condition)
            dtypes.add(verdict.logits[0].dtype)
            return verdict

    duel = tiny_duel(loss=loss)
    terms = {"features": Weighted(feature_matching, constant(1.0))}
    duel = Duel(
        duel.players["generator"],
        Recording(duel.players["discriminator"]),
        prior=duel.prior,
        loss=duel.loss,
        penalties={"penalty": Weighted(penalty, constant(1.0))},
        terms=terms,
    )
    trainer = Trainer(duel, blob, plan(bfloat16=True, samples=96))
    for turn in duel.turns(trainer.progress):
        with torch.autocast("cpu", torch.bfloat16):
            values = turn.objective(trainer._batch(0), trainer.progress).terms
        assert {value.dtype for value in values.values()} == {torch.float32}
    for _ in trainer:
        pass
    assert torch.bfloat16 in dtypes
    assert all(weight.dtype == torch.float32 for weight in duel.players["generator"].parameters())


def test_schedules_are_functions_of_the_spent_budget(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    from sparring.objectives.schedules import cosine
    from sparring.recipe import Adam

    adam = Adam(cosine(1.0, 0.0), beta1=0.0, beta2=cosine(0.9, 0.99))
    numbers = Plan({"generator": adam, "discriminator": adam}, batch=32, samples=320)
    trainer = Trainer(tiny_duel(), blob, numbers)
    rates, decays = [], []
    for _ in trainer:
        (group,) = trainer.optimisers["generator"].param_groups
        rates.append(group["lr"])
        decays.append(group["betas"][1])
    assert rates[0] == 1.0 and decays[0] == 0.9
    assert rates[5] == pytest.approx(0.5) and decays[5] == pytest.approx(0.945)
    assert rates == sorted(rates, reverse=True)


def test_weights_decay_where_their_optimiser_says_so(tiny_duel: Make, blob: Dataset) -> None:
    from sparring.objectives.schedules import constant
    from sparring.recipe import Adam

    plain = Adam(constant(1e-3), beta1=0.0, beta2=constant(0.9))
    adams = {"generator": replace(plain, weight_decay=0.25), "discriminator": plain}
    trainer = Trainer(tiny_duel(), blob, Plan(adams, batch=32, samples=320))
    decays = {name: optimiser.param_groups[0]["weight_decay"] for name, optimiser in trainer.optimisers.items()}
    assert decays == {"generator": 0.25, "discriminator": 0}


def test_controls_scale_the_learning_rates(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(tiny_duel(), blob, plan(rate=1e-3))
    assert {name for name in trainer.controls if name.endswith(" rate")} == {"generator rate", "discriminator rate"}
    assert not any(trainer.controls[f"{name} rate"].enabled for name in trainer.optimisers)
    trainer.controls["generator rate"].set(0.25)
    trainer.advance()
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in trainer.optimisers.items()}
    assert rates == pytest.approx({"generator": 0.25e-3, "discriminator": 1e-3})


def test_a_player_with_a_learning_rate_of_zero_stays_constant(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(tiny_duel(), blob, plan())
    trainer.controls["discriminator rate"].set(0.0)
    before = weights(trainer)
    trainer.advance()
    for name, after in weights(trainer).items():
        assert torch.equal(after, before[name]) == ("discriminator" in name), name


def test_controls_follow_the_figures_of_the_step(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    received: list[Figures] = []

    def rule(value: float, figures: Figures) -> float:
        received.append(figures)
        return value + 1

    trainer = Trainer(tiny_duel(gamma=Control(5.0, rule=rule)), blob, plan(samples=96))
    for progress in trainer:
        assert trainer.controls["gamma"].value == 5.0 + progress.step
        assert trainer.fresh.controls["gamma"] == trainer.figures.controls["gamma"] == 5.0 + progress.step
    assert [figures.fraction for figures in received] == pytest.approx([0, 1 / 3, 2 / 3])
    assert all(figures.notes["discriminator"]["lead"] > 0 for figures in received)


def test_automatic_gamma_moves_by_its_rate(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(tiny_duel(gamma=automatic(2.0, 0.01, 1e-7)), blob, plan(samples=32_000))
    for _ in range(10):
        before = trainer.controls["gamma"].value
        trainer.advance()
        upward = trainer.figures.notes["discriminator"]["lead"] > 0.8
        # At the start it can rise, but falls no faster than its floor.
        assert (trainer.controls["gamma"].value > before) == upward


@pytest.mark.parametrize("micro_batch", [None, 7])
def test_figures_are_those_of_the_whole_batch(
    micro_batch: int | None, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    """Micro-batches of 7, 7, 7, 7 and 4 samples are weighted by their sizes."""
    duel = tiny_duel(loss="non_saturating")
    trainer = Trainer(duel, blob, plan(micro_batch=micro_batch))
    with torch.no_grad():
        real = trainer._batch(0).real
        fake = duel.generate(duel.latent(trainer.progress.random.substream("discriminator/0")), None)
        scores = [duel.opinion(Batch(side)).score for side in (real, fake)]
        expected = duel.loss.discriminator(*([score] for score in scores))
    trainer.advance()
    assert trainer.figures.terms["discriminator"]["adversarial"] == pytest.approx(float(expected), rel=1e-5)
    assert trainer.figures.notes["discriminator"]["real score"] == pytest.approx(
        float(scores[0].mean()), rel=1e-5, abs=1e-7
    )
    assert trainer.figures.notes["discriminator"]["overlap"] == pytest.approx(
        float((scores[1] > scores[0]).float().mean())
    )


def test_figures_keep_the_latest_value_of_every_note(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(tiny_duel(), blob, plan())
    trainer.advance()
    noted = trainer.figures.notes["discriminator"]["real slope"]
    assert trainer.fresh == trainer.figures
    trainer.advance()
    fresh = trainer.fresh.notes["discriminator"]
    assert "real slope" not in fresh and "lead" in fresh
    assert trainer.figures.notes["discriminator"]["real slope"] == noted


def test_progress_counts_the_samples_of_every_turn(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = played(tiny_duel(discriminator_turns=3), blob, plan(batch=10, samples=95))
    assert (trainer.step, trainer.samples) == (4, 120)


@pytest.mark.parametrize("micro_batch", [8, 3])
def test_later_turns_know_what_was_made_of_the_same_batch(
    micro_batch: int, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    """Two updates of the first turn, of which three of the second see the batches, and one of none."""
    duel, seen = tiny_duel(), list[tuple[Tensor, Tensor | None]]()

    def first(batch: Batch, progress: Progress) -> Objective:
        assert not progress.made
        return duel.generator_objective(batch, progress)._replace(rows={"doubled": 2 * batch.real})

    def second(batch: Batch, progress: Progress) -> Objective:
        seen.append((batch.real, progress.made.get("doubled")))
        return duel.discriminator_objective(batch, progress)

    duel.turns = lambda progress: [Turn("generator", first, times=2), Turn("discriminator", second, times=3)]
    Trainer(duel, blob, plan(batch=8, micro_batch=micro_batch)).advance()
    parts = -(-8 // micro_batch)
    assert len(seen) == 3 * parts
    for real, doubled in seen[: 2 * parts]:
        assert doubled is not None and torch.equal(doubled, 2 * real)
    assert all(doubled is None for _, doubled in seen[2 * parts :])


@pytest.mark.parametrize("micro_batch", [8, 3])
def test_a_discriminator_that_comes_second_sees_what_the_generator_was_trained_on(
    micro_batch: int, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    duel, made = tiny_duel(generator_first=True), list[Tensor]()
    generate = duel._generate

    def generated(*given: Any) -> Tensor:
        made.append(generate(*given))
        return made[-1]

    duel._generate = generated
    trainer = Trainer(duel, blob, plan(batch=8, micro_batch=micro_batch))
    with torch.no_grad():
        random = trainer.progress.random.substream("generator/0")
        fake = generate(duel.latent(random), None)
    expected = duel.discriminator_objective(trainer._batch(0), replace(trainer.progress, made={"fakes": fake}))
    trainer.advance()
    assert len(made) == -(-8 // micro_batch)
    torch.testing.assert_close(torch.cat(made), fake)
    found = trainer.figures.terms["discriminator"]["adversarial"]
    assert found == pytest.approx(float(expected.terms["adversarial"].detach()), rel=1e-5)


def test_every_sample_is_seen_equally_often(tiny_duel: Make, plan: Make) -> None:
    """A repeated turn sees the next batch, and batches continue across the ends of epochs."""
    data = Dataset(np.arange(60, dtype=np.float32).reshape(30, 2))
    duel, seen = tiny_duel(discriminator_turns=3), []
    terms = duel.discriminator_objective

    def recorded(batch: Batch, progress: Progress) -> Objective:
        seen.extend(batch.real[:, 0].tolist())
        return terms(batch, progress)

    duel.discriminator_objective = recorded
    played(duel, data, plan(batch=8, samples=240))
    assert len(seen) == 240
    assert all(seen.count(value) == 8 for value in data.samples[:, 0])


def test_a_changed_number_of_turns_reads_each_batch_once(tiny_duel: Make, plan: Make) -> None:
    data = Dataset(np.arange(160, dtype=np.float32).reshape(80, 2))
    duel, seen = tiny_duel(), []
    terms = duel.discriminator_objective

    def turns(progress: Progress) -> list[Turn]:
        """Repeat the discriminator's turn once, twice, three times, once, …"""
        return [
            Turn("discriminator", recorded, times=1 + progress.step % 3),
            Turn("generator", duel.generator_objective),
        ]

    def recorded(batch: Batch, progress: Progress) -> Objective:
        seen.extend(batch.real[:, 0].tolist())
        return terms(batch, progress)

    duel.turns = turns
    trainer = played(duel, data, plan(batch=8, samples=240))
    assert (trainer.step, trainer.samples) == (15, 240) and len(seen) == 240
    for epoch in (seen[:80], seen[80:160], seen[160:]):
        assert sorted(epoch) == sorted(data.samples[:, 0])


class Clips(nn.Module):
    """Discriminator of clips by a 3-D convolution; with a size of ``latent``, their generator."""

    def __init__(self, latent: int = 0) -> None:
        super().__init__()
        self.latent = latent
        self.layer = nn.ConvTranspose3d(latent, 1, 4) if latent else nn.Conv3d(1, 4, 3)

    def forward(self, values: Tensor, condition: Tensor | None = None) -> Any:
        if self.latent:
            return self.layer(values[:, :, None, None, None])
        return Verdict([self.layer(values).mean((1, 2, 3, 4))], [])


def test_5d_samples_are_trained_without_a_memory_format_of_images(plan: Make) -> None:
    data = Dataset(np.random.default_rng(0).normal(size=(64, 1, 4, 4, 4)).astype(np.float32))
    duel = Duel(Clips(latent=4), Clips(), prior=normal(4), loss=LOSSES["hinge"])
    trainer = Trainer(duel, data, plan(samples=96))
    before = weights(trainer)
    for _ in trainer:
        pass
    assert trainer._batch(0).real.shape == (32, 1, 4, 4, 4)
    for name in (name for name in before if name.startswith("player/") and name.endswith("weight")):
        assert not torch.equal(weights(trainer)[name], before[name]), name


@pytest.mark.parametrize(
    ("networks", "layout"),
    [
        (residual, torch.channels_last),
        (dcgan, torch.channels_last),
        (dense, torch.contiguous_format),
    ],
)
def test_images_have_the_memory_format_of_the_convolutions(
    networks: Any, layout: torch.memory_format, plan: Make
) -> None:
    size = {"shape": (3, 8, 8)} if networks is dense else {"size": (8, 8), "channels": 3}
    players = networks.Generator(**size, latent_size=4, width=8), networks.Discriminator(**size, width=8)
    images = Dataset(np.random.default_rng(0).integers(0, 256, size=(40, 3, 8, 8), dtype=np.uint8))
    trainer = Trainer(Duel(*players, prior=normal(4), loss=LOSSES["hinge"]), images, plan())
    assert trainer.layout == layout
    assert trainer._batch(0).real.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (16, 8)])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_images_are_channels_last_too(size: tuple[int, int], channels: int, tiny_duel: Make) -> None:
    """Weights of one channel fit both memory formats, so the other weights decide."""
    for networks in (residual, dcgan):
        game = tiny_duel()
        game.players["generator"] = networks.Generator(size=size, channels=channels, latent_size=4, width=4)
        game.players["discriminator"] = networks.Discriminator(size=size, channels=channels, width=4)
        assert layout_of(game) == torch.channels_last
    assert layout_of(tiny_duel()) == torch.contiguous_format


def test_players_without_an_optimiser_stay_constant(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    trainer = Trainer(tiny_duel(), blob, plan(players=("generator",)))
    assert set(trainer.optimisers) == {"generator"} and "discriminator rate" not in trainer.controls
    before = weights(trainer)
    trainer.advance()
    for name, after in weights(trainer).items():
        assert torch.equal(after, before[name]) == ("discriminator" in name), name
    assert "adversarial" in trainer.figures.terms["discriminator"]
    assert "discriminator" not in trainer.figures.gradients


def test_an_optimiser_of_an_unknown_player_is_refused(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    with pytest.raises(SparringError, match=r"player 'generater'.*generator, discriminator"):
        Trainer(tiny_duel(), blob, plan(players=("generater", "discriminator")))


def test_a_turn_of_an_unknown_player_is_refused(tiny_duel: Make, blob: Dataset, plan: Make) -> None:
    duel = tiny_duel()
    duel.turns = lambda progress: [Turn("both", duel.generator_objective)]
    with pytest.raises(SparringError, match=r"turn 'both' of a player 'both'.*`players`"):
        Trainer(duel, blob, plan()).advance()


def test_ranks_split_the_batch_without_gaps() -> None:
    for size in (1, 2, 3, 5):
        rows = [row for rank in range(size) for row in range(64)[World(rank, size).rows(64)]]
        assert rows == list(range(64))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Objective({}), "an objective without terms"),
        (Objective({"l1": torch.ones(3)}), r"'l1' of shape \(3,\)"),
        (Objective({"l1": 1.0}), "'l1' of float"),  # type: ignore[dict-item]
        (Objective({"l1": torch.ones(())}, {"lead": torch.ones(1, 1)}), r"'lead' of shape \(1, 1\)"),
    ],
)
def test_terms_that_are_no_numbers_are_refused(
    objective: Objective, words: str, tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    duel = tiny_duel()
    duel.turns = lambda progress: [Turn("generator", lambda batch, progress: objective)]
    with pytest.raises(SparringError, match=words):
        Trainer(duel, blob, plan()).advance()


@pytest.mark.parametrize("times", [(1, 1), (1.5,), (-1,)])
def test_turns_of_one_name_or_of_odd_times_are_refused(
    times: tuple[Any, ...], tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    duel = tiny_duel()
    duel.turns = lambda progress: [Turn("generator", duel.generator_objective, times=one) for one in times]
    with pytest.raises(SparringError, match="the turns generator"):
        Trainer(duel, blob, plan()).advance()


@pytest.mark.parametrize("shares", [(0.5, 0.2), (2.0,), (-0.1, 1.0), (float("nan"), 1.0), ("half", 1.0)])
def test_phases_need_ascending_shares_of_the_budget(
    shares: tuple[Any, ...], tiny_duel: Make, blob: Dataset, plan: Make
) -> None:
    duel = tiny_duel()
    duel.phases = tuple(Phase(str(number), until=share) for number, share in enumerate(shares))
    with pytest.raises(SparringError, match="ascending shares from 0 to 1"):
        Trainer(duel, blob, plan())
