"""Trained games, read from the newest intact checkpoint of a run or from a published folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from sparring.building import blank_game
from sparring.data.conditions import check_options
from sparring.data.facts import Facts
from sparring.data.own_output import check_path
from sparring.errors import SparringError
from sparring.games.game import Game
from sparring.modalities import modality
from sparring.publishing import History, read_published
from sparring.recipe import Recipe, with_stored_fields
from sparring.recipes import recipe_named
from sparring.runs.folder import open_begun_run
from sparring.tensor_files import below, named_tensors, shapes_of
from sparring.training.checkpoint import Outline, load_checkpoint, require_shapes, restore_average, restore_published


class TrainedGame(NamedTuple):
    """A game with averaged weights, and what is known about it; see ``sparring.model.Model``."""

    game: Game
    recipe: Recipe
    name: str
    facts: Facts
    history: History
    remarks: tuple[str, ...] = ()


def read_model(folder: Path, recipe: str | Recipe | None, options: Mapping[str, Any] | None) -> TrainedGame:
    """Read a trained game; the arguments are those of ``sparring.model.load``.

    Raises:
        SparringError: there is none, it is damaged, or it does not have an option.
    """
    if (folder / "recipe.json").is_file():
        return _from_run(folder, recipe, options)
    if (folder / "config.json").is_file():
        return _from_published(folder, recipe, options)
    raise SparringError(
        found=f"neither recipe.json nor config.json in {folder}",
        expected="a run folder, or a folder written by save_pretrained",
        remedy=check_path(folder),
    )


def published_weights(game: Game) -> dict[str, Tensor]:
    """Return the weights of the published players, "player/key"."""
    return named_tensors({f"{player}/": game.players[player] for player in game.published})


def _from_run(folder: Path, own: str | Recipe | None, options: Mapping[str, Any] | None) -> TrainedGame:
    run = open_begun_run(folder)
    record = run.record
    recipe = with_stored_fields(recipe_named(record.recipe, own), record.fields)
    game = _blank(recipe, record.facts, options)

    def check(outline: Outline) -> None:
        require_shapes(below(outline.players, "average/"), shapes_of(published_weights(game)))

    snapshot, _, complaints = load_checkpoint(run.checkpoints, record.identity, check)
    restore_average(game, snapshot)
    samples = snapshot.state["samples"]
    history: History = {"seed": record.seed, "samples": samples, "versions": record.versions, "run": record.identity}
    remarks = (*complaints, f"The model is the one that was saved at {samples:,} samples.") if complaints else ()
    return TrainedGame(game, recipe, record.recipe, record.facts, history, remarks)


def _from_published(folder: Path, own: str | Recipe | None, options: Mapping[str, Any] | None) -> TrainedGame:
    published = read_published(folder)
    config = published.config
    recipe = with_stored_fields(recipe_named(config.recipe, own), config.fields)
    game = _blank(recipe, config.facts, options)
    require_shapes(published.shapes(), shapes_of(published_weights(game)), "weights")
    restore_published(game, published.weights())
    return TrainedGame(game, recipe, config.recipe, config.facts, config.history, published.remarks)


def _blank(recipe: Recipe, facts: Facts, options: Mapping[str, Any] | None) -> Game:
    """Build the networks without values in their weights, and check the options that will be given."""
    game = blank_game(recipe, facts)
    if options is not None:
        check_options(modality(facts.modality).conditions, recipe.view(facts), options)
    return game
