"""Turns that train several players, and state that moves without a gradient, for every split of a batch."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from sparring.flow import Batch, Objective, Progress, Turn
from sparring.randomness import RandomStream
from sparring.training.checkpoint import FILES, Snapshot, load_checkpoint, restore, save_checkpoint, take
from sparring.training.trainer import Trainer
from toys.trainers import CENTRES, SHARES, TOYS, clusters, exchange, mixture

ALL = pytest.mark.parametrize("toy", TOYS)


def play(trainer: Trainer) -> Trainer:
    for _ in trainer:
        pass
    return trainer


def with_turns(trainer: Trainer, change: Callable[[Turn], Turn]) -> Trainer:
    turns = trainer.game.turns
    trainer.game.turns = lambda progress: [change(turn) for turn in turns(progress)]
    return trainer


def assert_alike(found: Snapshot, expected: Snapshot) -> None:
    """Compare weights up to the order of summation, and integers and the statistics of EM bit for bit."""
    assert found.players.keys() == expected.players.keys()
    for name, tensor in found.players.items():
        exact = "mixture" in name or not tensor.is_floating_point()
        tolerance = {"rtol": 0.0, "atol": 0.0} if exact else {"rtol": 1e-5, "atol": 1e-6}
        torch.testing.assert_close(tensor, expected.players[name], **tolerance, msg=lambda text, name=name: name + text)


def test_a_joint_turn_trains_both_generators_and_no_other_player() -> None:
    """They have one loss and one gradient norm, logged under the name of the turn."""
    trainer = exchange()
    turns = trainer.game.turns
    trainer.game.turns = lambda progress: [turn for turn in turns(progress) if turn.name == "generators"]
    before = take(trainer).players
    batch, players = trainer._batch(0), trainer.game.players
    for name, player in players.items():
        player.requires_grad_(name.startswith("to "))
    terms = trainer.game.generator_objective(batch, trainer.progress).terms
    trained = [weight for name in ("to a", "to b") for weight in players[name].parameters()]
    norm = torch.stack([part.norm() for part in torch.autograd.grad(sum(terms.values()), trained)]).norm()

    trainer.advance()
    after = take(trainer).players
    for name in (name for name in after if name.startswith("player/")):
        assert torch.equal(after[name], before[name]) == ("critic" in name), name
    expected = {name: float(term.detach()) for name, term in terms.items()}
    assert set(trainer.figures.terms) == set(trainer.figures.gradients) == {"generators"}
    assert not trainer.figures.notes["generators"]
    assert trainer.figures.terms["generators"] == pytest.approx(expected, rel=1e-5)
    assert trainer.figures.gradients["generators"] == pytest.approx(float(norm), rel=1e-5)


def test_only_trained_players_require_gradients() -> None:
    requiring: dict[str, set[str]] = {}
    trainer = exchange()

    def recorded(turn: Turn) -> Turn:
        def objective(batch: Batch, progress: Progress) -> Objective:
            players = trainer.game.players.items()
            requiring[turn.name] = {
                name for name, one in players if all(part.requires_grad for part in one.parameters())
            }
            return turn.objective(batch, progress)

        return turn._replace(objective=objective)

    with_turns(trainer, recorded).advance()
    assert requiring == {"critic a": {"critic a"}, "critic b": {"critic b"}, "generators": {"to a", "to b"}}


class Pair(NamedTuple):
    points: Tensor
    numbers: Tensor


def test_turn_after_receives_the_rows_of_the_whole_batch_in_order() -> None:
    calls: list[tuple[dict[str, Any], Progress, bool]] = []

    def recorded(turn: Turn) -> Turn:
        def objective(batch: Batch, progress: Progress) -> Objective:
            found = turn.objective(batch, progress)
            pair = Pair(batch.real * progress.random.normal("noise", 1), progress.random.integers("n", 9))
            scores = trainer.game.discriminators["a"](batch.real)
            return found._replace(rows={**found.rows, "pair": pair, "scores": scores})

        return turn._replace(
            objective=objective,
            after=lambda rows, progress: calls.append((dict(rows), progress, torch.is_grad_enabled())),
        )

    trainer = with_turns(exchange(micro_batch=7), recorded)
    batch = trainer._batch(0)
    trainer.advance()
    rows, progress, grad = calls[0]
    assert progress.random.rows == slice(0, 32) and progress.random.total == 32 and progress.step == 0
    assert torch.equal(rows["pair"].points, batch.real * progress.random.normal("noise", 1))
    assert torch.equal(rows["pair"].numbers, progress.random.integers("n", 9))
    assert isinstance(rows["pair"], Pair) and rows["scores"].shape == (32,)
    assert not grad and not rows["scores"].requires_grad
    assert set(rows) == {"pair", "scores", "fakes"}


@ALL
@pytest.mark.parametrize("micro_batch", [16, 7])
def test_micro_batches_give_the_same_weights_as_the_whole_batch(micro_batch: int, toy: str) -> None:
    assert_alike(take(play(TOYS[toy](micro_batch=micro_batch))), take(play(TOYS[toy]())))


@ALL
def test_only_the_successful_attempt_counts_after_out_of_memory(toy: str) -> None:
    """Memory runs out once in every turn of the second step, after its first micro-batch."""
    failed: set[str] = set()

    def out_of_memory_once(turn: Turn) -> Turn:
        def objective(batch: Batch, progress: Progress) -> Objective:
            found = turn.objective(batch, progress)
            if progress.step == 1 and progress.random.rows.start > 0 and turn.name not in failed:
                failed.add(turn.name)
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return found

        return turn._replace(objective=objective)

    trainer = play(with_turns(TOYS[toy](micro_batch=16), out_of_memory_once))
    assert trainer.micro_batch == 16 // 2 ** len(failed) < 16
    assert_alike(take(trainer), take(play(TOYS[toy]())))


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of checkpoints of the toy games, trained on two processes."""
    out = tmp_path_factory.mktemp("two")
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(tests)]))
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": path,
    }
    done = subprocess.run(
        [*command, str(tests / "behaviour" / "ranks.py"), str(out)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@ALL
def test_two_processes_give_the_same_weights_as_one(toy: str, two_processes: Path) -> None:
    """A batch has 33 rows, which they cannot share evenly."""
    found, _, _ = load_checkpoint(two_processes / toy)
    assert_alike(found, take(play(TOYS[toy](batch=33))))


@ALL
def test_turn_after_is_not_called_for_a_skipped_update(toy: str) -> None:
    called: list[tuple[str, int]] = []

    def nan_once(turn: Turn) -> Turn:
        def objective(batch: Batch, progress: Progress) -> Objective:
            found = turn.objective(batch, progress)
            broken = {name: term * float("nan") for name, term in found.terms.items()}
            return found._replace(terms=broken) if progress.step == 2 else found

        def after(rows: Any, progress: Progress) -> None:
            called.append((turn.name, progress.step))
            if turn.after:
                turn.after(rows, progress)

        return turn._replace(objective=objective, after=after)

    trainer = with_turns(TOYS[toy](samples=128), nan_once)
    names = [turn.name for turn in trainer.game.turns(trainer.progress)]
    for _ in range(2):
        trainer.advance()
    before = take(trainer).players
    trainer.advance()
    after = take(trainer).players
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("player/"))
    assert trainer.guard.skipped == dict.fromkeys(names, 1) and trainer.guard.total == len(names)
    trainer.advance()
    assert called == [(name, step) for step in (0, 1, 3) for name in names]
    assert trainer.guard.skipped == dict.fromkeys(names, 0)


def test_a_player_without_weights_has_no_learning_rate_and_no_gradient() -> None:
    trainer = mixture()
    assert not trainer.optimisers and not trainer.controls
    trainer.advance()
    assert trainer.figures.terms.keys() == {"mixture"} and set(trainer.figures.terms["mixture"]) == {
        "negative log-likelihood"
    }
    assert not trainer.figures.gradients and not trainer.figures.controls


def test_a_player_without_an_optimiser_is_copied_into_the_average() -> None:
    """Its buffers are statistics and counters, of which a running mean would be meaningless."""
    trainer = play(mixture())
    average, player = trainer.average.players["mixture"], trainer.game.players["mixture"]
    for one, other in zip(average.buffers(), player.buffers(), strict=True):
        assert torch.equal(one, other)
    assert int(average.updates) == trainer.step == 15


@ALL
def test_resume_continues_bit_for_bit(toy: str, tmp_path: Path) -> None:
    straight, stopped, resumed = TOYS[toy](), TOYS[toy](), TOYS[toy]()
    for _ in range(5):
        stopped.advance()
    save_checkpoint(tmp_path, stopped)
    snapshot, _, _ = load_checkpoint(tmp_path)
    restore(resumed, snapshot)
    expected, found = take(play(straight)), take(play(resumed))
    for one, other in ((found.players, expected.players), (found.optimisers, expected.optimisers)):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert {**found.state, "seconds": 0} == {**expected.state, "seconds": 0}


def test_a_checkpoint_without_optimisers_is_complete(tmp_path: Path) -> None:
    trainer = mixture()
    trainer.advance()
    where = save_checkpoint(tmp_path, trainer)
    assert (where / FILES[1]).stat().st_size < 100
    snapshot, _, complaints = load_checkpoint(tmp_path)
    assert not complaints and not snapshot.optimisers and "player/mixture/begun" in snapshot.players


def test_the_pool_replaces_half_of_the_fakes_by_earlier_ones() -> None:
    trainer = exchange()
    critic = trainer.game.discriminators["a"]
    trainer.advance()
    assert critic.filled.sum() == 32 and not critic.pool[32:].any()
    trainer.advance()
    assert critic.filled.all()
    progress, before, fakes = trainer.progress, critic.pool.clone(), torch.full((32, 2), 100.0)
    places = (progress.samples + torch.arange(32)) % 50
    seen = critic.exchange(fakes, progress)
    earlier = (seen != fakes).any(1)
    assert 6 < int(earlier.sum()) < 26
    assert torch.equal(seen[earlier], before[places[earlier]])
    critic.remember(fakes, progress)
    before[places[earlier]] = 100.0
    assert torch.equal(critic.pool, before)


def test_stepwise_em_reaches_the_likelihood_of_batch_em() -> None:
    trainer = play(mixture(samples=32 * 150))
    points = clusters(2000, seed=1).samples
    oracle = GaussianMixture(3, random_state=0).fit(clusters().samples)
    found = trainer.average.opinion(Batch(torch.from_numpy(points))).likelihood
    assert float(found.mean()) == pytest.approx(oracle.score(points), abs=0.05)


def test_samples_of_the_mixture_follow_its_shares_means_and_deviations() -> None:
    game = play(mixture(samples=32 * 150)).average
    samples = game.generate(game.latent(RandomStream(0, 0, 6000, slice(0, 6000))), None).numpy()
    nearest = np.linalg.norm(samples[:, None] - CENTRES, axis=2).argmin(1)
    assert np.bincount(nearest, minlength=3) / 6000 == pytest.approx(SHARES, abs=0.06)
    for component, centre in enumerate(CENTRES):
        own = samples[nearest == component]
        assert own.mean(0) == pytest.approx(centre, abs=0.15) and own.std(0) == pytest.approx([0.3, 0.5], abs=0.1)
