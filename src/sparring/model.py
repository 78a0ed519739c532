"""Trained models: loading from a run or a published folder, sampling, and publishing."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from sparring.arguments import checked_folder, checked_path, option, real_number, whole_number
from sparring.conversion import as_frame, giving_columns, giving_images
from sparring.data.conditions import (
    INPUT,
    ConditionSpec,
    as_inputs,
    build_conditions,
    check_options,
    checked_conditions,
    counted,
    needs_inputs,
    refuse_options,
    repeated,
    require_inputs,
)
from sparring.data.facts import Facts
from sparring.data.own_output import earlier_files, folder_of, record_own
from sparring.data.view import View
from sparring.description import as_html, in_words
from sparring.detection.detectors import anomaly_of
from sparring.errors import SparringError, SparringWarning, writing
from sparring.flow import Anomaly, Batch, Cycle, Latent
from sparring.games.game import Game, Returning
from sparring.latent_paths import random_paths
from sparring.loading import published_weights, read_model
from sparring.modalities import modality
from sparring.modality import AnySize, AppliesInOwnSize, Input, Modality, ScoresSamples, SelectsSamples
from sparring.publishing import Config, History, write_published
from sparring.randomness import RandomStream, require_seed
from sparring.recipe import Recipe
from sparring.rendering.exhibits import exhibit_files, require_own, write_exhibits
from sparring.samples import Sample, batch_size, concatenate, shapes, take
from sparring.sampling import (
    SAMPLES_PER_PASS,
    Accepted,
    generate,
    generate_accepted,
    generate_from,
    require_samples,
)
from sparring.training.devices import main_memory, pick

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_ANSWERS = 10_000
"""Samples for one input at most."""


@final
class Model:
    """The published players of a game, with averaged weights.

    Attributes:
        game: the game, in evaluation mode, on the CPU.
        recipe: the recipe with every field resolved.
        name: name of the recipe.
        facts: description of the training data.
        history: provenance: seed, samples seen, versions, and identity of the run.
        remarks: full sentences about its files, such as that a damaged checkpoint was skipped.
        folder: the folder that it was loaded from; None for a model that was made in memory.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        name: str,
        facts: Facts,
        history: History,
        remarks: tuple[str, ...] = (),
        folder: Path | None = None,
    ) -> None:
        self.game, self.recipe, self.name, self.facts, self.history = game, recipe, name, facts, history
        self.remarks, self.folder = remarks, folder
        for player in game.published:
            game.players[player].eval().requires_grad_(False)

    def __repr__(self) -> str:
        return in_words(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def modality(self) -> Modality:
        """Modality of the samples."""
        return modality(self.facts.modality)

    @property
    def view(self) -> View:
        """Form of the data that the model was trained on."""
        return self.recipe.view(self.facts)

    @property
    def condition_spec(self) -> ConditionSpec | None:
        """Kind of condition and its options; None for an unconditional model."""
        return self.modality.conditions[self.view.condition] if self.view.condition else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that can be sampled; empty if the model was trained without labels."""
        return self.facts.classes if self.condition_spec is not None and "label" in self.condition_spec.options else ()

    def conditions(self, count: int | None = None, **options: Any) -> Sample | None:
        """Build the conditions of ``count`` samples, as the players take them; None for an unconditional model.

        Args:
            count: number of samples; None for as many as the options imply.
            **options: options of ``condition_spec``, such as ``label="cats"``.

        Raises:
            SparringError: the model does not have an option, or a value is not valid.
        """
        return build_conditions(self.modality.conditions, self.view, self.facts, options, count)

    def sample(
        self,
        count: int | None = None,
        *,
        condition: Sample | None = None,
        seed: int = 0,
        truncation: float = 1.0,
        device: str = "cpu",
        first: int = 0,
        **options: Any,
    ) -> Sample:
        """Generate samples, (count, *shape) or a NamedTuple of such tensors, on the CPU, float32.

        They are coded as networks see them: images in [-1, 1], points relative to the origin of their columns if
        ``facts.coding`` has one. ``modality.decode(samples, facts)`` returns them in the units of the data.

        Args:
            count: number of samples, at least one; None for one per input.
            condition: one row per sample, as the players take it, or a list of class numbers, for callers that have
                conditions already; None to build them from ``options``, which have the names of the command line.
            seed: equal seeds give equal samples; sample i does not depend on ``count``.
            truncation: factor on the latents, in [0, 2]: below 1 for more typical and less diverse samples.
            device: device to compute on.
            first: number of the first sample, so that many can be generated in parts.
            **options: options of ``condition_spec``: ``label="cats"``, ``input="sketches/"``, ``where="age>=65"``.

        Raises:
            SparringError: the model does not have an option or such a condition, a number is out of range, or no sample
                is found that meets them. Where fewer than ``count`` are found, a SparringWarning says so.
        """
        # Check the numbers, and that there is one condition per sample.
        count = None if count is None else whole_number("count", count, most=self._affordable)
        condition = self._condition(count, condition, options)
        numbers = {"seed": seed, "truncation": truncation, "first": first}
        return self._sampled(counted(count, condition), condition, options, device=device, **numbers)

    def images(self, count: int | None = None, **options: Any) -> "list[Image]":
        """Generate samples of a model of images as images of Pillow; the arguments are those of ``sample``.

        Raises:
            SparringError: the samples are no images, or as for ``sample``.
        """
        return giving_images(self.modality).images(self.sample(count, **options), self.facts)

    def frame(self, count: int | None = None, **options: Any) -> Any:
        """Generate rows as a data frame of pandas, or as a dict of columns where pandas is not installed.

        Numbers are numbers, categories and dates are text as in the data, and missing values are None or NaN. A time
        series has a row for each of its steps.

        Args:
            count: number of samples.
            **options: the other arguments of ``sample``, such as ``where="age>=65"``.

        Raises:
            SparringError: the samples are no rows, or as for ``sample``.
        """
        return as_frame(giving_columns(self.modality).columns(self.sample(count, **options), self.facts))

    def accepted(
        self, count: int, condition: Sample | None, options: Mapping[str, Any], *, device: str = "cpu", **numbers: Any
    ) -> Accepted:
        """Generate samples that meet ``options``; the arguments are as for ``sample`` and ``generate_accepted``."""
        seed, first = require_seed(numbers.get("seed", 0)), whole_number("first", numbers.get("first", 0), least=0)
        truncation = real_number("truncation", numbers.get("truncation", 1.0), most=2)
        kind: Any = self.modality
        selection = kind.selection(options, self.view, self.facts) if isinstance(kind, SelectsSamples) else None
        values: dict[str, Any] = {"seed": seed, "first": first, "truncation": truncation, "bounds": kind.bounds}
        with self.on(device) as target:
            values |= {"stream": "sample/", "device": target, "on_search": numbers.get("on_search")}
            return generate_accepted(self.game, selection, count, condition, **values)

    def apply(
        self, inputs: Any, *, seed: int = 0, count: int = 1, strength: float = 1.0, device: str = "cpu", **options: Any
    ) -> Sample | list[Sample]:
        """Generate samples for each input, in order, by a model whose condition is a sample.

        Convolutional generators of images take each input in its own size; others take all in the size of the model.

        Args:
            inputs: a file, a folder, a pattern such as "in/*.jpg", an image of Pillow, an array or a tensor, as the
                modality reads them, or a list of these. Floating-point tensors of images are in [-1, 1].
            seed: seed of the latents.
            count: samples for each input, from different latents.
            strength: share of the change that is made, in [0, 1]: input + strength · (sample - input).
            device: device to compute on.
            **options: further options of ``condition_spec``, such as ``mask`` and ``to``.

        Returns:
            (inputs · count, *shape) on the CPU, float32, first all samples of the first input; a list of such tensors,
            one row each, if inputs have several sizes.

        Raises:
            SparringError: the model takes no inputs, they cannot be read, or an option does not fit.
        """
        listed = self.inputs(inputs, count=count, strength=strength, **options)
        if listed is None:
            options[INPUT] = as_inputs(inputs)
            condition = repeated(self.conditions(**options), count)
            return self._sampled(counted(None, condition), condition, options, seed=seed, device=device)
        for remark in listed[1]:
            warnings.warn(remark, SparringWarning, stacklevel=2)
        with self.on(device) as target:
            answers = [one for one in listed[0] for _ in range(count)]
            results = [one.result(self.any_size(number, seed, target)) for number, one in enumerate(answers)]
        return concatenate(results) if len({shapes(one) for one in results}) == 1 else results

    def inputs(
        self, given: Any, *, count: int = 1, strength: float = 1.0, **options: Any
    ) -> tuple[Sequence[Input], Sequence[str]] | None:
        """List inputs, each in its own size, and what was left out; None if the model takes all in its own size.

        Args:
            given: as for ``apply``.
            count: as for ``apply``.
            strength: as for ``apply``.
            **options: further options of ``condition_spec``.

        Raises:
            SparringError: the model takes no inputs, there are none, or an option does not fit.
        """
        require_inputs(self.condition_spec, self.name)
        parts = as_inputs(given)
        check_options(self.modality.conditions, self.view, {INPUT: parts, **options})
        count, strength = whole_number("count", count, most=MAX_ANSWERS), real_number("strength", strength, most=1)
        if self._multiples and isinstance(self.modality, AppliesInOwnSize):
            known = {name: value for name, value in options.items() if value is not None}
            return self.modality.inputs(parts, known, self.view, self.facts, strength)
        if strength != 1:
            raise SparringError(
                found=f"{option('strength', strength)} for a model of {self.name}",
                expected="one whose generator takes images of any size",
                remedy=f"leave {option('strength')} out",
            )
        if count > 1 and not self.has_latents:
            raise SparringError(
                found=f"{option('count', count)} for a model of {self.name}, which has one answer to each input",
                expected="a generator that takes latents",
                remedy=f"leave {option('count')} out",
            )
        return None

    def any_size(self, number: int, seed: int, device: torch.device) -> AnySize:
        """Return the generator for conditions of any size, with the latent of sample ``number``; see ``on``."""
        seed, bounds = require_seed(seed), self.modality.bounds

        def generated(condition: Sample) -> Sample:
            place: dict[str, Any] = {"stream": "sample/", "first": number, "device": device}
            return generate(self.game, 1, condition, seed=seed, bounds=bounds, **place)

        scales = [getattr(self.game.players[name], "scale", 1) for name in self.game.published]
        return AnySize(generated, math.lcm(*self._multiples), max(scales))

    @contextmanager
    def on(self, device: str) -> Iterator[torch.device]:
        """Bring the players to a device while the block runs, and back to the CPU afterwards."""
        target = pick(device)
        players = [self.game.players[name].to(target) for name in self.game.published]
        try:
            yield target
        finally:
            for player in players:
                player.to("cpu")

    def show(
        self, samples: Sample, stem: str | Path, *, columns: int = 8, condition: Sample | None = None
    ) -> list[Path]:
        """Write files to look at or listen to: ``stem``.png with all images, or sounds, texts and tables.

        Args:
            samples: samples of this model.
            stem: path of the files without extension; one of theirs at its end is left out.
            columns: samples per row.
            condition: conditions of the samples, shown beside them.

        Returns:
            The files, in a folder that is created if need be.

        Raises:
            SparringError: these are no samples of this model, or the files cannot be written, or would replace others
                that sparring has not written.
        """
        path, columns = checked_path("the files", stem), whole_number("columns", columns)
        self._require_own(samples)
        condition = None if condition is None else self._checked(condition)
        counted(batch_size(samples), condition)
        exhibits = self.modality.show(Batch(samples, condition), self.facts, columns=columns)
        path = path.with_suffix("") if path.suffix in {one.suffix for one in exhibits} else path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            require_own(exhibit_files(exhibits, path))
            return write_exhibits(exhibits, path)

    def save(self, samples: Sample, folder: str | Path, *, first: int = 0) -> list[Path]:
        """Write samples as files in a common format, numbered from ``first``, and return the files.

        Files of earlier calls with the same numbers are replaced, and others stay.

        Raises:
            SparringError: these are no samples of this model, or the folder holds other files, with which the samples
                would mix, or cannot be written.
        """
        place, first = checked_folder("the samples", folder), whole_number("first", first, least=0)
        self._require_own(samples)
        earlier = earlier_files(place)
        with writing(place):
            files = self.modality.save(samples, self.facts, place, first=first)
            record_own(place, sorted({*earlier, *files}), ())
        return files

    def interpolate(
        self, count: int, steps: int, *, seed: int = 0, condition: Sample | None = None, **options: Any
    ) -> Sample:
        """Generate samples along ``count`` paths between two latents, (count × steps, *shape), path after path.

        Both ends of a path have one condition: that of its row of ``condition``, or else the one that ``options`` give,
        as for ``sample``. Paths are great circles for a normal prior and straight lines for latents in [-1, 1].

        Raises:
            SparringError: ``count`` or ``steps`` is below 1, or there is no such option or condition.
        """
        count, steps = whole_number("count", count), whole_number("steps", steps)
        whole_number("count times steps", count * steps, most=self._affordable)
        paths, given = random_paths(self.game, count, require_seed(seed)), self._condition(count, condition, options)
        rows = torch.arange(count).repeat_interleave(steps)
        return self._generated(paths.along(steps), take(given, rows))

    def path_length(
        self,
        extractor: Callable[[Tensor], Tensor],
        count: int,
        *,
        seed: int = 0,
        condition: Sample | None = None,
        **options: Any,
    ) -> float:
        """Return the perceptual path length in an extractor's features over ``count`` paths; see ``smoothness``.

        Conditions are those of ``interpolate``. NaN if features are not finite.

        Raises:
            SparringError: ``count``, ``seed``, ``condition`` or an option is not valid.
        """
        count = whole_number("count", count, most=self._affordable)
        paths, given = random_paths(self.game, count, require_seed(seed)), self._condition(count, condition, options)
        return paths.perceptual_length(
            lambda latent, rows: self._generated(latent, take(given, rows)), extractor, require_seed(seed)
        )

    @property
    def direction(self) -> str:
        """Direction of a translation by the names of its sides, "labels → photos", or "A ⇄ B"; empty for others."""
        spec = self.condition_spec
        arrow = " ⇄ " if isinstance(self.game, Returning) else " → "
        return "" if spec is None else arrow.join(spec.direction(self.view, self.facts))

    def there_and_back(self, batch: Batch) -> tuple[Cycle, ...]:
        """Translate samples of a batch and back again, in each direction; nothing where the game has no way back."""
        if not isinstance(self.game, Returning):
            return ()
        with torch.inference_mode():
            return self.game.there_and_back(batch)

    def anomaly(self, samples: Sample, *, device: str = "cpu") -> Anomaly:
        """Return how unusual samples, as ``sample`` returns them, are: by the game, or by the detector in the run.

        Raises:
            SparringError: these are no samples of this model, or `sparring detect` has to be run first.
        """
        self._require_own(samples)
        return anomaly_of(self, samples, pick(device))

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of a sample of 32-bit numbers, at least one number."""
        return 4 * max(1, math.prod(self.view.shape))

    @property
    def _multiples(self) -> list[int]:
        """Numbers of which the sides of an input are multiples; none unless the generators are convolutional."""
        found = [getattr(self.game.players[name], "multiple", None) for name in self.game.published]
        return [multiple for multiple in found if isinstance(multiple, int)]

    @property
    def has_latents(self) -> bool:
        """True if samples depend on latents; False for a model that gives one answer to each condition."""
        latent = self.game.latent(RandomStream(0, 0, 1, slice(0, 1), stream="probe/"))
        return latent.numel() > 0

    @property
    def _affordable(self) -> int:
        """Number of samples that fill half of the main memory."""
        return max(1, main_memory() // 2 // self.bytes_per_sample)

    def _sampled(self, count: int, condition: Sample | None, options: Mapping[str, Any], **place: Any) -> Sample:
        found = self.accepted(count, condition, options, **place)
        if remark := found.shortage(count):
            warnings.warn(remark, SparringWarning, stacklevel=3)
        kind: Any = self.modality
        scores = kind.scores(found.samples, self.facts, options) if isinstance(kind, ScoresSamples) else None
        return found.samples if scores is None else take(found.samples, scores.argsort(descending=True, stable=True))

    def _condition(self, count: int | None, condition: Any, options: Mapping[str, Any]) -> Sample | None:
        """Return the conditions of ``count`` samples, as given or from ``options``; both at once are refused."""
        if condition is None:
            return self.conditions(count, **options)
        refuse_options(options)
        condition = self._checked(condition)
        counted(count, condition)
        return condition

    def _checked(self, condition: Any) -> Sample:
        return checked_conditions(condition, self.condition_spec, self.classes)

    def _require_own(self, samples: Any) -> None:
        """Refuse anything but samples as ``sample`` returns them; see ``require_samples``."""
        require_samples(samples, self.view.shape, any_size=bool(self._multiples))

    def _generated(self, latent: Latent, condition: Sample | None) -> Sample:
        return generate_from(self.game, latent.split(SAMPLES_PER_PASS), condition, bounds=self.modality.bounds)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json, weights.safetensors, README.md (the model card) and manifest.json; return the folder.

        Raises:
            SparringError: the folder holds other files, or cannot be written.
        """
        place = checked_folder("the model", folder)
        # Published players only: sampling needs no discriminator.
        weights = {name: value.contiguous() for name, value in published_weights(self.game).items()}
        fields = self.recipe.model_dump(mode="json")
        config = Config(self.name, fields, self.facts, self.history)
        applied = needs_inputs(self.modality.conditions, self.view)
        example = 'apply("inputs/", seed=0)' if applied else "sample(16, seed=0)"
        with writing(place):
            return write_published(
                place,
                weights,
                self.recipe,
                config,
                self.classes,
                self.direction,
                example,
                adversarial=bool(self.game.critics),
            )


def load(path: str | Path, *, recipe: str | Recipe | None = None, options: Mapping[str, Any] | None = None) -> Model:
    """Load the model of a run folder (from its newest intact checkpoint) or of a published folder.

    Args:
        path: the folder.
        recipe: needed for a recipe of your own only: its value, or file.py:Name. Code named by a folder is never run.
        options: condition options that will be given: unknown ones are refused before any weight is read.

    Raises:
        SparringError: there is no model, it is damaged, or it does not have an option.

    Warns:
        SparringWarning: a damaged checkpoint was skipped, or the folder cannot be verified; see ``Model.remarks``.
    """
    folder = folder_of(checked_path("the model", path))
    model = Model(*read_model(folder, recipe, options), folder)
    for remark in model.remarks:
        warnings.warn(f"{folder}: {remark}", SparringWarning, stacklevel=2)
    return model
