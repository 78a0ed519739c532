"""A trained model: load it from a run or a published folder, sample from it, publish it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from sparring.data.facts import Facts
from sparring.errors import SparringError, nearest
from sparring.evaluation.smoothness import interpolated, perceptual_path_length
from sparring.games.game import Game
from sparring.modalities import modality
from sparring.modality import Modality
from sparring.randomness import Draw, derive, generator, seeded
from sparring.recipe import Recipe, with_fields
from sparring.recipes import find_recipe
from sparring.run import Run, versions
from sparring.storage import as_written, read_json, write_bytes, write_json, write_text
from sparring.training.checkpoint import load_checkpoint

FORMAT, READABLE = 2, (1, 2)
"""Of config.json: the format that is written, and those that can be read."""
AT_ONCE = 64
"""Samples per pass. Noise is drawn in portions of this size: sample i does not depend on how many are asked for."""

Condition = int | str | Sequence[int] | Tensor | None


@final
class Model:
    """The averaged generator of a run.

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
    def classes(self) -> tuple[str, ...]:
        """The classes that can be asked for; none where the model was trained without labels."""
        return self.facts.classes if vars(self.recipe).get("labels") else ()

    def sample(
        self, count: int, *, condition: Condition = None, seed: int = 0, truncation: float = 1.0, device: str = "cpu"
    ) -> Tensor:
        """Samples, (count, *shape), float32 on the CPU; images are in [-1, 1].

        Args:
            count: how many, at least one.
            condition: a class number or name, one number per sample, or None for the classes in turn.
            seed: equal seeds give equal samples; sample i is the same however many are asked for.
            truncation: the noise is multiplied by it: below 1 for more typical and less various samples.
            device: where to compute.

        Raises:
            SparringError: there is no such class, or count or truncation is out of range.
        """
        if count < 1 or not 0 <= truncation <= 2:
            raise SparringError(
                found=f"count {count} and truncation {truncation}",
                expected="a count of at least 1 and a truncation from 0 to 2",
                remedy="give other numbers",
            )
        labels = self.labels(count, condition)
        players = [self.game.players[name].to(device) for name in self.game.published]
        parts = []
        with torch.inference_mode():
            for start in range(0, count, AT_ONCE):
                rows = slice(0, min(AT_ONCE, count - start))
                draw = Draw(seed, start, AT_ONCE, rows, stream="sample/", device=torch.device(device))
                part = None if labels is None else labels[start : start + AT_ONCE].to(device)
                parts.append(self.game.generate(self.game.noise(draw) * truncation, part).cpu())
        for player in players:
            player.to("cpu")
        samples = torch.cat(parts).contiguous()
        return samples.clamp(-1, 1) if self.facts.modality == "images" else samples

    def interpolate(self, count: int, steps: int, *, seed: int = 0) -> Tensor:
        """Samples along ``count`` paths between two noises, (count × steps, *shape), path after path.

        Both ends of a path are of one class; the classes come in turn. Paths are great circles for normal noise and
        straight for noise in [-1, 1].
        """
        first, second, labels = self._ends(count, seed)
        places = torch.linspace(0, 1, steps)[:, None].repeat(count, 1)
        starts, ends = (side.repeat_interleave(steps, 0) for side in (first, second))
        noise = interpolated(starts, ends, places, spherical=_is_round(first))
        return self._generated(noise, None if labels is None else labels.repeat_interleave(steps))

    def path_length(self, extractor: Callable[[Tensor], Tensor], count: int, *, seed: int = 0) -> float:
        """The perceptual path length in an extractor's features over ``count`` whole paths; see ``smoothness``.

        Each path is of one class; the classes come in turn. NaN where samples are not finite.
        """
        first, second, labels = self._ends(count, seed)
        positions = torch.rand(count, generator=generator(seed, "positions"), dtype=torch.float64)

        def generate(noise: Tensor, rows: slice) -> Tensor:
            return self._generated(noise, None if labels is None else labels[rows])

        try:
            return perceptual_path_length(generate, extractor, (first, second), positions, spherical=_is_round(first))
        except SparringError:
            return math.nan

    def _ends(self, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor | None]:
        draws = (Draw(derive(seed, "end", end), 0, count, slice(0, count), stream="path/") for end in (0, 1))
        first, second = (self.game.noise(draw) for draw in draws)
        return first, second, self.labels(count)

    def _generated(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        parts = zip(
            noise.split(AT_ONCE), [None] * len(noise) if labels is None else labels.split(AT_ONCE), strict=False
        )
        with torch.inference_mode():
            samples = torch.cat([self.game.generate(*part).float() for part in parts])
        return samples.clamp(-1, 1) if self.facts.modality == "images" else samples

    def labels(self, count: int, condition: Condition = None) -> Tensor | None:
        """The class of each of ``count`` samples, (count,) int64, or None for a model without classes."""
        if not self.classes:
            if condition is None:
                return None
            raise SparringError(
                found=f"the class {condition!r}",
                expected="no class: this model was trained without labels",
                remedy="leave the class out, or train with --labels true on data that has classes",
            )
        if condition is None:
            return torch.arange(count) % len(self.classes)
        if isinstance(condition, str):
            condition = self._class_number(condition)
        labels = torch.as_tensor(condition, dtype=torch.int64).reshape(-1)
        labels = labels.expand(count) if len(labels) == 1 else labels
        if len(labels) != count or labels.min() < 0 or labels.max() >= len(self.classes):
            raise SparringError(
                found=f"the classes {labels.unique().tolist()} for {count} samples",
                expected=f"class numbers from 0 to {len(self.classes) - 1}, one for all or one per sample",
                remedy=f"the classes are {', '.join(self.classes[:20])}",
            )
        return labels

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json, generator.safetensors and README.md, the model card, into ``folder``."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        weights = {
            f"{player}/{key}": value.contiguous()
            for player in self.game.published
            for key, value in self.game.players[player].state_dict().items()
        }
        facts = replace(self.facts, details={})
        write_bytes(target / "generator.safetensors", save(weights))
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

    def _class_number(self, name: str) -> int:
        if name in self.classes:
            return self.classes.index(name)
        if name.isdigit():
            return int(name)
        raise SparringError(
            found=f"the class {name!r}",
            expected=f"one of {', '.join(self.classes[:20])}",
            remedy=f"look at the spelling{nearest(name, list(self.classes))}",
        )


def _is_round(noise: Tensor) -> bool:
    """Whether noise is normal: that of the other kind never leaves [-1, 1]."""
    return bool(noise.abs().max() > 1)


def class_by_class(count: int, classes: int) -> Tensor:
    """Positions in ``count`` samples of the classes in turn that bring equal classes together, as many of each."""
    return torch.arange(count // classes * classes).view(-1, classes).T.reshape(-1)


def load(path: str | Path, *, recipe: str | Recipe | None = None) -> Model:
    """The model in a run folder (its newest whole checkpoint) or in a published folder.

    Args:
        path: the folder.
        recipe: only for a recipe of your own: its value, or file.py:Name. Code is never run because a folder names it.

    Raises:
        SparringError: there is no model, or it is damaged.
    """
    folder = Path(path)
    if (folder / "recipe.json").is_file():
        return _from_run(Run(folder), recipe)
    if (folder / "config.json").is_file():
        return _from_published(folder, recipe)
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


def _from_run(run: Run, own: str | Recipe | None) -> Model:
    record = run.record
    recipe = with_fields(recipe_named(record.recipe, own), record.fields)
    snapshot, _, _ = load_checkpoint(run.checkpoints)
    weights = {
        key.removeprefix("average/"): value for key, value in snapshot.players.items() if key.startswith("average/")
    }
    history = {"seed": record.seed, "samples": snapshot.state["samples"], "versions": record.versions}
    return _model(recipe, record.recipe, record.facts, weights, history)


def _from_published(folder: Path, own: str | Recipe | None) -> Model:
    config = read_json(folder / "config.json")
    if not isinstance(config, dict) or config.get("format") not in READABLE:
        raise SparringError(
            found=f"another format in {folder / 'config.json'}",
            expected=f"format {FORMAT} or an older one",
            remedy="use the version of sparring that wrote it",
        )
    try:
        weights = load_file(folder / "generator.safetensors")
    except (SafetensorError, OSError) as error:
        raise SparringError(
            found=f"weights that cannot be read ({error})",
            expected=f"safetensors in {folder / 'generator.safetensors'}",
            remedy="copy the folder again",
        ) from None
    with as_written(folder / "config.json"):
        name, facts, history = str(config["recipe"]), Facts.from_json(config["facts"]), dict(config["history"])
        recipe = with_fields(recipe_named(name, own), dict(config["fields"]))
    return _model(recipe, name, facts, weights, history)


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
