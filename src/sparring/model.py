"""A trained model: load it from a run or a published folder, sample from it, publish it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from sparring.data.conditions import INPUT, ConditionSpec, build_conditions, check_options
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.metrics.smoothness import interpolated, perceptual_path_length
from sparring.modalities import modality
from sparring.modality import Modality
from sparring.randomness import RandomStream, derive, generator, seeded
from sparring.recipe import Recipe, with_stored_fields
from sparring.recipes import find_recipe
from sparring.rendering.exhibits import write_exhibits
from sparring.runs.folder import Run, versions
from sparring.samples import Sample, batch_size, take
from sparring.sampling import SAMPLES_PER_PASS, generate, generate_from
from sparring.storage import parsing, read_json, write_bytes, write_json, write_text
from sparring.training.checkpoint import load_checkpoint
from sparring.training.devices import pick

FORMAT, READABLE = 2, (1, 2)
"""Of config.json: the format that is written, and those that can be read."""
PROBED = 256
"""Rows of noise by which its kind is told."""
WEIGHTS = "weights.safetensors"
OLD_WEIGHTS = "generator.safetensors"
"""As format 1 has it."""


@final
class Model:
    """The averaged players of a run that are published.

    Attributes:
        recipe: the recipe with every choice made.
        facts: what the training data was.
        history: how it came about: seed, samples seen, versions.
    """

    def __init__(self, game: Game, recipe: Recipe, name: str, facts: Facts, history: dict[str, Any]) -> None:
        self.game, self.recipe, self.name, self.facts, self.history = game, recipe, name, facts, history
        for player in game.published:
            game.players[player].eval().requires_grad_(False)

    @property
    def modality(self) -> Modality:
        """What its samples are."""
        return modality(self.facts.modality)

    @property
    def view(self) -> View:
        """How it looks at data."""
        return self.recipe.view(self.facts)

    @property
    def condition_spec(self) -> ConditionSpec | None:
        """What can be asked for; None for a model without conditions."""
        return self.modality.conditions[self.view.condition] if self.view.condition else None

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that can be asked for; none where the model was trained without labels."""
        return self.facts.classes if self.condition_spec is not None and "label" in self.condition_spec.options else ()

    def conditions(self, count: int | None = None, **asked: Any) -> Sample | None:
        """Conditions for ``count`` samples, as its players are told them; None for a model without conditions.

        Args:
            count: how many; None for as many as was asked for.
            **asked: the options of ``condition_spec``, such as ``label="cats"``.

        Raises:
            SparringError: the model does not know what was asked.
        """
        return build_conditions(self.modality.conditions, self.view, self.facts, asked, count)

    def sample(
        self,
        count: int | None = None,
        *,
        condition: Sample | None = None,
        seed: int = 0,
        truncation: float = 1.0,
        device: str = "cpu",
        **asked: Any,
    ) -> Sample:
        """Samples, (count, *shape) or a NamedTuple of such, on the CPU, float32; images are in [-1, 1].

        Args:
            count: how many, at least one; None for one for each input that was asked for.
            condition: one for each sample, as the players are told them; None to go by ``asked``.
            seed: equal seeds give equal samples; sample i is the same however many are asked for.
            truncation: the noise is multiplied by it: below 1 for more typical and less various samples.
            device: where to compute.
            **asked: what is wanted, by the options of ``condition_spec``: ``label="cats"``, ``input="sketches/"``.

        Raises:
            SparringError: the model does not know what was asked, or count or truncation is out of range.
        """
        if (count is not None and count < 1) or not 0 <= truncation <= 2:
            raise SparringError(
                found=f"count {count} and truncation {truncation}",
                expected="a count of at least 1 and a truncation from 0 to 2",
                remedy="give other numbers",
            )
        told = self.conditions(count, **asked) if condition is None else condition
        count = count if count is not None or told is None else batch_size(told)
        if count is None or (told is not None and batch_size(told) != count):
            raise SparringError(
                found=f"count {count} and conditions for {0 if told is None else batch_size(told)} samples",
                expected="how many samples to make, and one condition for each",
                remedy="give a count, or other conditions",
            )
        place = pick(device)
        players = [self.game.players[name].to(place) for name in self.game.published]
        options: dict[str, Any] = {"device": place, "truncation": truncation, "bounds": self.modality.bounds}
        try:
            return generate(self.game, count, told, seed=seed, stream="sample/", **options)
        finally:
            for player in players:
                player.to("cpu")

    def apply(self, inputs: str | Path | Sequence[str], *, seed: int = 0, device: str = "cpu", **asked: Any) -> Sample:
        """One sample for each input, in order: what the model makes of files.

        Args:
            inputs: a file, a folder or several, as the modality reads them; or texts.
            seed: of the noise.
            device: where to compute.
            **asked: further options of ``condition_spec``.

        Raises:
            SparringError: the model takes no inputs, or they cannot be read.
        """
        if self.condition_spec is None or INPUT not in self.condition_spec.options:
            raise SparringError(
                found=f"a model of {self.name}, which takes no inputs",
                expected="one whose condition is a sample",
                remedy="use `sparring sample` with it",
            )
        return self.sample(seed=seed, device=device, input=inputs, **asked)

    def show(
        self, samples: Sample, stem: str | Path, *, columns: int = 8, condition: Sample | None = None
    ) -> list[Path]:
        """Write samples for a person: one picture of all, ``stem``.png; sounds, texts, tables as their modality has it.

        Args:
            samples: what this model made.
            stem: path of the files without its ending.
            columns: samples in a row.
            condition: what the samples were made under, to be shown beside them.
        """
        exhibits = self.modality.show(Batch(samples, condition), self.facts, columns=columns)
        return write_exhibits(exhibits, Path(stem))

    def save(self, samples: Sample, folder: str | Path, *, first: int = 0) -> list[Path]:
        """Write samples as files that other programs read, numbered from ``first``."""
        return self.modality.save(samples, self.facts, Path(folder), first=first)

    def interpolate(self, count: int, steps: int, *, seed: int = 0, condition: Sample | None = None) -> Sample:
        """Samples along ``count`` paths between two noises, (count × steps, *shape), path after path.

        Both ends of a path have one condition: that of its row of ``condition``, by default what the model takes where
        nothing is asked. Paths are great circles for normal noise and straight for noise in [-1, 1].
        """
        if count < 1 or steps < 1:
            raise SparringError(
                found=f"{count} paths of {steps} steps", expected="at least one", remedy="give other numbers"
            )
        first, second, told = self._ends(count, seed, condition)
        places = torch.linspace(0, 1, steps)[:, None].repeat(count, 1)
        starts, ends = (side.repeat_interleave(steps, 0) for side in (first, second))
        latent = interpolated(starts, ends, places, spherical=self._is_round)
        return self._generated(latent, take(told, torch.arange(count).repeat_interleave(steps)))

    def path_length(
        self, extractor: Callable[[Tensor], Tensor], count: int, *, seed: int = 0, condition: Sample | None = None
    ) -> float:
        """The perceptual path length in an extractor's features over ``count`` whole paths; see ``smoothness``.

        Conditions are those of ``interpolate``. NaN where samples are not finite.
        """
        first, second, told = self._ends(count, seed, condition)
        positions = torch.rand(count, generator=generator(seed, "positions"), dtype=torch.float64)

        def generated(latent: Tensor, rows: slice) -> Sample:
            return self._generated(latent, take(told, rows))

        try:
            return perceptual_path_length(generated, extractor, (first, second), positions, spherical=self._is_round)
        except SparringError:
            return math.nan

    @property
    def _is_round(self) -> bool:
        """True for normal noise: that of the other kind never leaves [-1, 1]."""
        latent = self.game.latent(RandomStream(0, 0, PROBED, slice(0, PROBED), stream="probe/"))
        return latent.numel() > 0 and bool(latent.abs().max() > 1)

    def _ends(self, count: int, seed: int, condition: Sample | None) -> tuple[Tensor, Tensor, Sample | None]:
        streams = (RandomStream(derive(seed, "end", end), 0, count, slice(0, count), stream="path/") for end in (0, 1))
        first, second = (self.game.latent(random) for random in streams)
        return first, second, self.conditions(count) if condition is None else condition

    def _generated(self, latent: Tensor, told: Sample | None) -> Sample:
        return generate_from(self.game, latent.split(SAMPLES_PER_PASS), told, bounds=self.modality.bounds)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json, weights.safetensors and README.md, the model card, into ``folder``."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        weights = {
            f"{player}/{key}": value.contiguous()
            for player in self.game.published
            for key, value in self.game.players[player].state_dict().items()
        }
        facts = replace(self.facts, details={})
        write_bytes(target / WEIGHTS, save(weights))
        config = {
            "format": FORMAT,
            "recipe": self.name,
            "fields": self.recipe.model_dump(mode="json"),
            "facts": facts.as_json(),
            "history": self.history,
        }
        write_json(target / "config.json", config)
        write_text(target / "README.md", _card(self))
        return target


def class_by_class(count: int, classes: int) -> Tensor:
    """Positions in ``count`` samples of the classes in turn that bring equal classes together, as many of each."""
    return torch.arange(count // classes * classes).view(-1, classes).T.reshape(-1)


def load(path: str | Path, *, recipe: str | Recipe | None = None, asked: Mapping[str, Any] | None = None) -> Model:
    """The model in a run folder (its newest whole checkpoint) or in a published folder.

    Args:
        path: the folder.
        recipe: only for a recipe of your own: its value, or file.py:Name. Code is never run because a folder names it.
        asked: what will be asked of it: options that it does not know are refused before any weight is read.

    Raises:
        SparringError: there is no model, or it is damaged.
    """
    folder = Path(path)
    if (folder / "recipe.json").is_file():
        return _from_run(Run(folder), recipe, asked)
    if (folder / "config.json").is_file():
        return _from_published(folder, recipe, asked)
    raise SparringError(
        found=f"neither recipe.json nor config.json in {folder}",
        expected="a run folder, or a folder made by save_pretrained",
        remedy="check the path",
    )


def recipe_named(name: str, own: str | Recipe | None) -> Recipe:
    """The recipe called ``name`` in a folder; one of the user's own must be handed in again.

    Raises:
        SparringError: it is the user's own and was not handed in.
    """
    if isinstance(own, Recipe):
        return own
    if ".py:" in name and own is None:
        raise SparringError(
            found=f"a model of your own recipe {name!r}",
            expected="the recipe beside it: code is never run because a folder names it",
            remedy=f"add recipe={name!r} (on the command line: --recipe {name})",
        )
    return find_recipe(own or name)


def _from_run(run: Run, own: str | Recipe | None, asked: Mapping[str, Any] | None) -> Model:
    record = run.record
    recipe = with_stored_fields(recipe_named(record.recipe, own), record.fields)
    _check_asked(recipe, record.facts, asked)
    snapshot, _, _ = load_checkpoint(run.checkpoints)
    weights = {
        key.removeprefix("average/"): value for key, value in snapshot.players.items() if key.startswith("average/")
    }
    history = {"seed": record.seed, "samples": snapshot.state["samples"], "versions": record.versions}
    return _model(recipe, record.recipe, record.facts, weights, history)


def _from_published(folder: Path, own: str | Recipe | None, asked: Mapping[str, Any] | None) -> Model:
    config = read_json(folder / "config.json")
    if not isinstance(config, dict) or config.get("format") not in READABLE:
        raise SparringError(
            found=f"another format in {folder / 'config.json'}",
            expected=f"format {FORMAT} or an older one",
            remedy="use the version of sparring that wrote it",
        )
    with parsing(folder / "config.json"):
        name, facts, history = str(config["recipe"]), Facts.from_json(config["facts"]), dict(config["history"])
        recipe = with_stored_fields(recipe_named(name, own), dict(config["fields"]))
    _check_asked(recipe, facts, asked)
    file = folder / (WEIGHTS if config["format"] == FORMAT else OLD_WEIGHTS)
    try:
        weights = load_file(file)
    except (SafetensorError, OSError) as error:
        raise SparringError(
            found=f"weights that cannot be read ({error})",
            expected=f"safetensors in {file}",
            remedy="copy the folder again",
        ) from None
    return _model(recipe, name, facts, weights, history)


def _check_asked(recipe: Recipe, facts: Facts, asked: Mapping[str, Any] | None) -> None:
    if asked is not None:
        check_options(modality(facts.modality).conditions, recipe.view(facts), asked)


def _model(recipe: Recipe, name: str, facts: Facts, weights: dict[str, Tensor], history: dict[str, Any]) -> Model:
    with seeded(0, "weights"):
        game = recipe.game(facts)
    for player in game.published:
        state = {
            key.removeprefix(f"{player}/"): value for key, value in weights.items() if key.startswith(f"{player}/")
        }
        try:
            game.players[player].load_state_dict(state)
        except RuntimeError as error:
            raise SparringError(
                found=f"weights of other networks ({str(error).splitlines()[-1].strip()[:200]})",
                expected=f"those of the recipe {name}",
                remedy="load with the version of sparring that wrote them",
            ) from None
    return Model(game, recipe, name, facts, history)


def _card(model: Model) -> str:
    """The model card: only what is known."""
    facts = model.facts
    shape = " × ".join(str(side) for side in model.recipe.view(facts).shape)
    classes = f"\n* classes: {', '.join(model.classes)}" if model.classes else ""
    return f"""---
library_name: sparring
tags: [gan, {facts.modality}]
---
# A generator of {facts.modality}, trained with sparring

* recipe: {model.name} ({type(model.recipe).paper})
* training data: {facts.count} samples from `{Path(facts.source).name}`, fingerprint `{facts.fingerprint[:16]}`
* sample: {shape}{classes}
* real samples seen: {model.history.get("samples")}, seed {model.history.get("seed")}

What it makes is synthetic: say so where you show it.

    import sparring
    model = sparring.load("this/folder")
    samples = model.sample(16, seed=0)

Made with sparring {versions()["sparring"]}. The folder holds JSON and safetensors only: nothing in it can execute code.
"""
