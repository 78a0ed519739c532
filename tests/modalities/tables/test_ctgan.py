"""CTGAN and TVAE: training by sampling, the category that is asked for, and a small table with a known answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring.data.conditions import check_options
from sparring.data.dataset import Dataset
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.flow import Batch, Verdict
from sparring.modalities.tables.asking import CONDITIONS, known_cells, selection
from sparring.modalities.tables.category_sampling import sampled_by_category
from sparring.modalities.tables.coding import Column, Rows
from sparring.modalities.tables.conditions import CATEGORY, Known
from sparring.modalities.tables.data import survey
from sparring.modalities.tables.likelihoods import MixedObservation, asked_category
from sparring.modalities.tables.mode_vectors import ModeVectors
from sparring.modalities.tables.networks.ctgan import Discriminator, Generator
from sparring.modalities.tables.recipes.ctgan import CTGAN
from sparring.modalities.tables.recipes.tvae import TVAE
from sparring.objectives.critic import Critic
from sparring.objectives.terms import GeneratorPass
from sparring.recipe import Machine, resolve, with_fields
from sparring.runs.display import Silent
from sparring.sampling import generate
from sparring.training.trainer import Trainer
from toys.heights import fitted, write_table

SMALL = {"width": 64, "latent_size": 8, "batch": 100}
COLUMNS = (
    Column("size", "continuous", quantiles=tuple(np.linspace(-1, 1, 201).tolist())),
    Column("kind", "category", categories=("a", "b", "c"), shares=(0.9, 0.09, 0.01)),
    Column("unit", "constant", categories=("m",), shares=(1.0,)),
    Column("sign", "boolean", categories=("yes", "no"), shares=(0.5, 0.5), missing=0.5),
)
MACHINE = Machine("cpu", 2**33, 2, False)


def rows(count: int = 1000) -> Rows:
    """Arrays of rows: 90 % a, 9 % b, 1 % c; the number says which row it is."""
    kind = np.select([np.arange(count) < 0.9 * count, np.arange(count) < 0.99 * count], [0, 1], 2)
    values = np.stack([np.arange(count) / count, kind, np.zeros(count), np.arange(count) % 2], 1).astype(float)
    missing = np.zeros(values.shape, dtype=bool)
    missing[::2, 3] = True
    return Rows(values, missing)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("tables") / "heights.csv")


@pytest.fixture(scope="module")
def ctgan(table: Path) -> Trainer:
    return fitted(with_fields(CTGAN(), {**SMALL, "learning_rate": 2e-3}), table, 500)


@pytest.fixture(scope="module")
def tvae(table: Path) -> Trainer:
    return fitted(with_fields(TVAE(), {**SMALL, "learning_rate": 3e-3}), table, 600)


def assert_like_the_table(made: Rows) -> None:
    tall, height, score = made.values.unbind(1)
    assert float(tall.mean()) == pytest.approx(0.3, abs=0.08)
    assert float(height[tall == 1].median()) == pytest.approx(20, abs=1)
    assert float(height[tall == 0].median()) == pytest.approx(10, abs=1)
    assert float(made.missing[:, 2].double().mean()) == pytest.approx(0.1, abs=0.07)
    there = ~made.missing[:, 2]
    assert float((score - 2 * height)[there].abs().median()) < 3
    assert not made.missing[:, :2].any() and (score[~there] == 0).all()


class TestSampling:
    def test_categories_are_drawn_by_the_logarithm_of_their_frequency(self, random) -> None:
        batch = sampled_by_category(Dataset(rows()), COLUMNS).batch(
            np.zeros(30_000, dtype=np.int64), random=random(30_000)
        )
        known = batch.condition.known
        assert (known.sum(1) == 1).all() and not known[:, [0, 2]].any()
        assert float(known[:, 1].double().mean()) == pytest.approx(0.5, abs=0.02)
        counts = torch.bincount(batch.real.values[known[:, 1], 1].long(), minlength=3)
        expected = torch.tensor([900.0, 90, 10]).log1p()
        torch.testing.assert_close(counts / counts.sum(), expected / expected.sum(), atol=0.02, rtol=0)

    def test_rows_are_any_of_their_category_and_conditions_are_their_cells(self, random) -> None:
        batch = sampled_by_category(Dataset(rows()), COLUMNS).batch(
            np.zeros(30_000, dtype=np.int64), random=random(30_000)
        )
        rare = batch.real.values[batch.condition.known[:, 1] & (batch.real.values[:, 1] == 2), 0]
        assert rare.unique().tolist() == [at / 1000 for at in range(990, 1000)]
        assert torch.equal(batch.condition.values, batch.real.values)
        sign = batch.condition.known[:, 3]
        assert float(batch.real.missing[sign, 3].double().mean()) == pytest.approx(0.5, abs=0.03)

    def test_without_random_numbers_rows_stay_and_columns_take_turns(self) -> None:
        batch = sampled_by_category(Dataset(rows()), COLUMNS).batch(np.array([5, 6, 7]))
        assert batch.real.values[:, 0].tolist() == [0.005, 0.006, 0.007]
        assert batch.condition.known.tolist() == [
            [False, True, False, False],
            [False, False, False, True],
            [False, True, False, False],
        ]

    def test_equal_streams_draw_equal_rows_and_ranks_their_own(self, random) -> None:
        data, some = sampled_by_category(Dataset(rows()), COLUMNS), np.arange(8)
        one, same = (data.batch(some, random=random(8)) for _ in range(2))
        assert all(torch.equal(*pair) for pair in zip(one.real, same.real, strict=True))
        half = data.batch(some[4:], random=replace(random(8), rows=slice(4, 8)))
        assert torch.equal(half.real.values, one.real.values[4:])

    def test_held_out_rows_are_never_trained_on(self, table: Path, random) -> None:
        found = survey(str(table))
        split = found.prepare(CTGAN().view(found.facts))
        trained = split.train.batch(np.zeros(20_000, dtype=np.int64), random=random(20_000)).real.values
        held_out = split.held_out.batch(slice(None)).real.values
        known = {tuple(row) for row in split.train.samples.values.tolist()}
        assert {tuple(row) for row in trained.tolist()} <= known
        assert not {tuple(row) for row in held_out.tolist()} <= known


def test_the_term_is_the_cross_entropy_of_the_category(random) -> None:
    encoding = ModeVectors(COLUMNS)
    real = Rows(*(torch.from_numpy(part[:2]) for part in rows()))
    known = torch.tensor([[False, True, False, False], [False, False, False, True]])
    fake = torch.zeros(2, encoding.scalars + encoding.width + encoding.places)
    kinds = encoding.scalars + encoding.width - encoding.condition_width
    fake[0, kinds : kinds + 3] = torch.tensor([0.2, 0.7, 0.1])
    fake[1, kinds + 3 : kinds + 6] = torch.tensor([0.5, 0.0, 0.5])
    fake.requires_grad_()
    critic = Critic(lambda sample, condition: Verdict([], []), None, random(2))
    given = GeneratorPass(fake, fake, Batch(real, Known(*real, known)), critic, lambda latent: latent)
    loss = asked_category(encoding)(given)
    # The first row is of kind a, and the sign of the second, "no", has probability 0; at temperature 1 it is d^.2.
    kind, sign = np.array([0.2, 0.7, 0.1]) ** 0.2, np.array([0.5, 1e-37, 0.5]) ** 0.2
    expected = -(np.log(kind[0] / kind.sum()) + np.log(sign[1] / sign.sum())) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert fake.grad.isfinite().all() and fake.grad[0, kinds] < 0 < fake.grad[0, kinds + 1]


def test_the_generator_draws_the_category_of_rows_that_are_given_none() -> None:
    encoding = ModeVectors(COLUMNS)
    network = Generator(encoding=encoding, latent_size=4, width=8).eval()
    latent = torch.randn(6, Generator.latent_size(encoding, 4), generator=torch.Generator().manual_seed(0))
    real = Rows(*(torch.from_numpy(part[:6]) for part in rows()))
    nothing, everything = torch.zeros(6, 4, dtype=torch.bool), torch.tensor([[False, True, False, False]]).expand(6, -1)
    with torch.no_grad():
        free, open_rows, asked = (
            network(latent, condition) for condition in (None, Known(*real, nothing), Known(*real, everything))
        )
    assert torch.equal(free, open_rows) and not torch.equal(free, asked)
    assert free.shape == (6, encoding.scalars + encoding.width + encoding.places)
    parts = free[:, encoding.scalars : encoding.scalars + encoding.width].split(encoding.sizes, 1)
    assert all(torch.allclose(part.sum(1), torch.ones(6)) for part in parts)


def test_the_discriminator_scores_packs_with_their_conditions() -> None:
    encoding = ModeVectors(COLUMNS)
    network = Discriminator(encoding=encoding, width=8, packing=3).eval()
    real = Rows(*(torch.from_numpy(part[:6]) for part in rows()))
    vectors = encoding.normalize(real)
    known = torch.zeros(6, 4, dtype=torch.bool)
    with torch.no_grad():
        before = network(vectors, Known(*real, known)).logits[0]
        known[0, 1] = True
        after = network(vectors, Known(*real, known)).logits[0]
    assert len(before.unique()) == 2 and (before[:3] == before[0]).all()
    assert (before[:3] != after[:3]).all() and torch.equal(before[3:], after[3:])


class TestLikelihood:
    def test_surprise_is_that_of_the_normal_distribution_and_of_softmax(self) -> None:
        encoding = ModeVectors((COLUMNS[0], COLUMNS[3]))
        observation = MixedObservation(encoding)
        real = encoding.normalize(Rows(torch.tensor([[0.3, 1.0]]).double(), torch.tensor([[False, False]])))
        decoded = torch.cat([torch.tensor([[0.1]]), torch.zeros(1, encoding.width), torch.tensor([[0.5]])], 1)
        normal = ((real[0, 0] - 0.1) / 0.5) ** 2 / 2 + np.log(0.5)
        expected = float(normal) + np.log(encoding.sizes[0]) + np.log(3)
        assert observation.surprises(decoded, real).sum(1).tolist() == pytest.approx([expected], rel=1e-5)

    def test_missing_numbers_have_no_place_in_a_mode(self) -> None:
        column = Column("x", "continuous", quantiles=COLUMNS[0].quantiles, missing=0.5)
        encoding = ModeVectors([column])
        real = encoding.normalize(Rows(torch.zeros(1, 1).double(), torch.ones(1, 1, dtype=torch.bool)))
        logits = torch.zeros(1, encoding.width)
        found = [
            MixedObservation(encoding).surprises(torch.cat([mean, logits, torch.tensor([[0.5]])], 1), real).sum().item()
            for mean in (torch.zeros(1, 1), torch.ones(1, 1))
        ]
        assert found[0] == found[1] == pytest.approx(np.log(encoding.width))

    def test_numbers_and_categories_are_drawn(self) -> None:
        encoding = ModeVectors((COLUMNS[0], COLUMNS[1]))
        observation, count = MixedObservation(encoding), 20_000
        logits = torch.zeros(count, encoding.width)
        logits[:, -3:] = torch.tensor([0.7, 0.2, 0.1]).log()
        decoded = torch.cat([torch.full((count, 1), 0.2), logits, torch.full((count, 1), 0.3)], 1)
        noise = torch.randn(count, observation.noise, generator=torch.Generator().manual_seed(0))
        made = observation.sample(decoded, noise)
        assert made[:, 0].mean().item() == pytest.approx(0.2, abs=0.01)
        assert made[:, 0].std().item() == pytest.approx(0.3, abs=0.01)
        kinds = encoding.denormalize(made).values[:, 1].long()
        torch.testing.assert_close(torch.bincount(kinds) / count, torch.tensor([0.7, 0.2, 0.1]), atol=0.02, rtol=0)


def test_ctgan_learns_a_table(ctgan: Trainer) -> None:
    assert_like_the_table(generate(ctgan.average, 3000, seed=0, stream="test"))


def test_tvae_learns_a_table(tvae: Trainer) -> None:
    assert_like_the_table(generate(tvae.average, 3000, seed=0, stream="test"))


def test_a_category_that_is_asked_for_decides_the_other_cells(ctgan: Trainer, table: Path) -> None:
    facts = survey(str(table)).facts
    for kind, height in (("tall", 20), ("short", 10)):
        condition = known_cells({"where": f"kind={kind}"}, View(facts.shape, CATEGORY), facts, 500)
        made = generate(ctgan.average, 500, condition, seed=0, stream="test")
        assert (made.values[:, 0] == (kind == "tall")).all()
        assert float(made.values[:, 1].median()) == pytest.approx(height, abs=1)


def test_anything_but_one_category_is_left_to_rejection(ctgan: Trainer, table: Path) -> None:
    facts = survey(str(table)).facts
    view, options = View(facts.shape, CATEGORY), {"where": "height>=20,kind=tall"}
    condition, selected = known_cells(options, view, facts, 500), selection(options, view, facts)
    assert condition.known.sum(0).tolist() == [500, 0, 0] and selected is not None
    rows, accepted = selected.select(generate(ctgan.average, 500, condition, seed=0, stream="test"), condition)
    assert 0.2 < accepted.double().mean() < 0.8 and torch.equal(accepted, rows.values[:, 1] >= 20)
    assert selection({"where": "kind=tall"}, view, facts) is None
    with pytest.raises(SparringError, match="did you mean 'tall'"):
        known_cells({"where": "kind=toll"}, view, facts, 3)


def test_without_where_nothing_is_known(table: Path) -> None:
    facts = survey(str(table)).facts
    assert not known_cells({}, View(facts.shape, CATEGORY), facts, 3).known.any()


def test_tvae_takes_no_conditions_but_those_of_rejection(table: Path) -> None:
    view = TVAE().view(survey(str(table)).facts)
    check_options(CONDITIONS, view, {"where": "kind=tall"})
    with pytest.raises(SparringError, match="balance='kind', but expected where="):
        check_options(CONDITIONS, view, {"balance": "kind"})


def test_tables_of_numbers_have_no_condition(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "numbers.csv"
    np.savetxt(path, random.normal(size=(300, 2)), delimiter=",", header="x,y", comments="", fmt="%.4f")
    facts = survey(str(path)).facts
    assert CTGAN().view(facts).condition == "" and CATEGORY not in facts.offers
    trainer = fitted(with_fields(CTGAN(), SMALL), path, 3)
    assert not trainer.game.terms and generate(trainer.average, 5, seed=0, stream="test").values.isfinite().all()


@pytest.mark.parametrize("recipe", ["tables/ctgan", "tables/tvae"])
def test_equal_seeds_give_equal_weights_and_rows_and_other_seeds_do_not(
    recipe: str, table: Path, tmp_path: Path
) -> None:
    fields = {"samples": 600, "batch": 100, "width": 8, "latent_size": 4, "judge": "none"}
    runs = [
        sparring.train(table, recipe=recipe, seed=seed, out=tmp_path / name, display=Silent(), **fields).folder
        for name, seed in (("one", 7), ("same", 7), ("other", 8))
    ]
    one, same, other = ((run / "model" / "weights.safetensors").read_bytes() for run in runs)
    assert one == same != other
    model, again = (sparring.load(run) for run in runs[:2])
    first, whole = model.sample(3, seed=1), again.sample(70, seed=1)
    assert torch.equal(first.values, whole.values[:3]) and torch.equal(first.missing, whole.missing[:3])


@pytest.mark.parametrize(("count", "batch"), [(3000, 500), (257, 250), (7, 7)])
def test_a_run_is_300_epochs_of_whole_packs(table: Path, tmp_path: Path, count: int, batch: int) -> None:
    facts = survey(str(write_table(tmp_path / "some.csv", count))).facts
    recipe, reasons = resolve(CTGAN(), facts, MACHINE)
    assert recipe.samples == 300 * count and recipe.batch == batch
    assert f"300 epochs of {count:,} rows" in reasons["samples"]["reason"]
    assert resolve(with_fields(CTGAN(), {"samples": 9}), facts, MACHINE)[0].samples == 9


def test_weights_decay_as_in_the_paper() -> None:
    decays = {name: adam.weight_decay for name, adam in CTGAN().optimisers().items()}
    assert decays == {"generator": 1e-6, "discriminator": 0}
    assert TVAE().optimisers()["autoencoder"].weight_decay == 5e-6
