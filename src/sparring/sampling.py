"""Sampling: the only loop that generates samples, rejection of samples, and conditions drawn from data."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.data.conditions import ConditionSpec
from sparring.data.dataset import Dataset
from sparring.errors import SparringError
from sparring.flow import Batch, Latent
from sparring.games.game import Game
from sparring.randomness import RandomStream, generator
from sparring.samples import Sample, as_float32, concatenate, map_floats, rows_within, shapes, take, tensors, to_device

if TYPE_CHECKING:
    from sparring.modality import Selection

SAMPLES_PER_PASS = 64
"""Latents are drawn for so many samples at once, so that sample i does not depend on the count."""
SMALL_SAMPLES_PER_PASS, PASS_BYTES = 1024, 2**18
"""Samples per forward pass at most, and their size in bytes above which a pass is of ``SAMPLES_PER_PASS``."""
CANDIDATES_PER_PASS = 1024
"""Candidates per forward pass, and at most for one sample in a round."""
CANDIDATES_AT_ONCE = 16 * CANDIDATES_PER_PASS
"""Candidates that are held in memory at once."""
MIN_GENERATED = 100_000
"""Candidates that are generated at least before a search ends without all samples."""
MAX_CANDIDATES = 1000
"""Candidates for each sample beyond which a search ends, if there are ``MIN_GENERATED``."""

PROBE_SIZE = 256
"""Latents drawn to find out whether the prior is normal."""


def generate(
    game: Game,
    count: int,
    condition: Sample | None = None,
    *,
    seed: int,
    stream: str,
    device: torch.device | str = "cpu",
    truncation: float = 1.0,
    bounds: tuple[float, float] | None = None,
    first: int = 0,
) -> Sample:
    """Generate ``count`` samples, on the CPU, floating-point parts in float32.

    Args:
        game: its published players are on ``device``.
        count: number of samples.
        condition: one row per sample, or None.
        seed: equal seeds and streams give equal samples.
        stream: name of the random stream; distinct uses of one seed have distinct names.
        device: device to compute on.
        truncation: factor on the latents.
        bounds: values are clamped to these, unless None.
        first: number of the first sample.
    """
    randoms = _passes(first, count, seed, stream, torch.device(device))
    return generate_from(game, _latents(game, randoms, truncation), condition, bounds=bounds)


class Accepted(NamedTuple):
    """Samples that a selection accepted.

    Args:
        samples: these samples, in order.
        rows: their numbers among those that were asked for, (accepted,) int64, in order.
        generated: candidates that were generated until each sample was found, or given up.
    """

    samples: Sample
    rows: Tensor
    generated: int

    def acceptance(self) -> str:
        """Return "Kept 1,000 of 14,210 samples generated: 7.04 %"; "" if none was refused."""
        kept = len(self.rows)
        rate = f"Kept {kept:,} of {self.generated:,} samples generated: {100 * kept / max(1, self.generated):.3g} %"
        return "" if kept == self.generated else rate

    def shortage(self, count: int) -> str:
        """Return a sentence about fewer samples than the ``count`` that were asked for; "" if all were found.

        Raises:
            SparringError: none was accepted.
        """
        if not len(self.rows):
            raise SparringError(
                found=f"no sample that meets what is asked for among {self.generated:,} that were generated",
                expected=f"{count:,} of them",
                remedy="ask for something less rare, or train longer",
            )
        return "" if len(self.rows) == count else f"Only {len(self.rows):,} of {count:,} samples were found."


def generate_accepted(
    game: Game,
    selection: "Selection | None",
    count: int,
    condition: Sample | None = None,
    *,
    seed: int,
    stream: str,
    device: torch.device | str = "cpu",
    truncation: float = 1.0,
    bounds: tuple[float, float] | None = None,
    first: int = 0,
    on_search: Callable[[int, int], None] | None = None,
) -> Accepted:
    """Generate ``count`` samples that a selection accepts, on the CPU; fewer where the search ends before.

    Each sample is the first that is accepted of its own sequence of candidates, so it does not depend on the count. The
    first candidate is the sample of ``generate``. Then the number of candidates doubles in each round. A search ends
    after 1,000 candidates for each sample, or 100,000 for all, whichever is more; after 100,000 if none was accepted.

    Args:
        game: its published players are on ``device``.
        selection: accepts samples, and completes their conditions; None accepts all.
        count: number of samples.
        condition: one row per sample, or None.
        seed: as for ``generate``.
        stream: as for ``generate``.
        device: device to compute on.
        truncation: factor on the latents.
        bounds: values are clamped to these, unless None.
        first: number of the first sample.
        on_search: called while further candidates are generated, with the numbers of samples found and of candidates.
    """
    missing, target = torch.arange(count), torch.device(device)
    if selection is None:
        numbers: dict[str, Any] = {"seed": seed, "stream": stream, "device": device, "first": first}
        samples = generate(game, count, condition, truncation=truncation, bounds=bounds, **numbers)
        return Accepted(samples, missing, count)
    parts, rows = list[Sample](), list[Tensor]()
    generated, tried, number = 0, 0, 0
    while len(missing) and (generated < MIN_GENERATED or (len(missing) < count and tried < MAX_CANDIDATES)):
        each, left = min(2**number, CANDIDATES_PER_PASS), list[Tensor]()
        for some in missing.split(CANDIDATES_AT_ONCE // each):
            # Generate candidates: in the first round from the latents of ``generate``, then from own ones per sample.
            if number == 0:
                randoms = list(_passes(first + int(some[0]), len(some), seed, stream, target))
                latents = list(_latents(game, randoms, truncation))
            else:
                name, every = f"{stream}again {number}/", slice(0, each)
                randoms = [RandomStream(seed, first + int(row), each, every, name, target) for row in some]
                latents = list(torch.cat(list(_latents(game, randoms, truncation))).split(CANDIDATES_PER_PASS))
            given = _completed(selection, take(condition, some.repeat_interleave(each)), randoms)
            samples, accepted = selection.select(generate_from(game, latents, given, bounds=bounds), given)

            # Keep the first that is accepted of each sample.
            accepted = accepted.view(len(some), each)
            is_found, place = accepted.any(1), accepted.int().argmax(1)
            generated += int(torch.where(is_found, place + 1, each).sum())
            parts.append(take(samples, (torch.arange(len(some)) * each + place)[is_found]))
            rows.append(some[is_found])
            left.append(some[~is_found])
            if number > 0 and on_search is not None:
                on_search(sum(map(len, rows)), generated)
        missing, tried, number = torch.cat(left), tried + each, number + 1
    order = torch.cat(rows).argsort()
    return Accepted(take(concatenate(parts), order), torch.cat(rows)[order], generated)


def _completed(selection: "Selection", condition: Sample | None, randoms: Iterable[RandomStream]) -> Sample | None:
    """Return conditions as a selection completes them, each part by its own random numbers."""
    if condition is None:
        return None
    parts, start = list[Sample](), 0
    for random in randoms:
        end = start + random.rows.stop - random.rows.start
        parts.append(selection.condition(take(condition, slice(start, end)), random))
        start = end
    return concatenate(parts)


def _passes(first: int, count: int, seed: int, stream: str, device: torch.device) -> Iterator[RandomStream]:
    """Yield the random numbers of samples, for one pass each."""
    end = first + count
    for start in range(first // SAMPLES_PER_PASS * SAMPLES_PER_PASS, end, SAMPLES_PER_PASS):
        rows = slice(max(0, first - start), min(SAMPLES_PER_PASS, end - start))
        yield RandomStream(seed, start, SAMPLES_PER_PASS, rows, stream, device)


def _latents(game: Game, randoms: Iterable[RandomStream], truncation: float) -> Iterator[Latent]:
    for random in randoms:
        latent = game.latent(random)
        yield latent if truncation == 1 else latent * truncation


def generate_from(
    game: Game,
    latents: Iterable[Latent],
    condition: Sample | None = None,
    *,
    bounds: tuple[float, float] | None = None,
) -> Sample:
    """Generate samples from given latents, on the CPU, floating-point parts in float32.

    Args:
        game: its published players are on the device of the latents.
        latents: one tensor per forward pass; several are passed on at once where samples are small, such as rows.
        condition: one row per row of all latents together, or None.
        bounds: values are clamped to these, unless None.
    """
    remaining = iter(latents)
    with torch.inference_mode():
        # The first pass tells how large samples are.
        latent = next(remaining)
        samples, start = [_generated(game, latent, condition, 0)], len(latent)
        for latent in _joined(remaining, rows_within(PASS_BYTES, shapes(samples[0]), SMALL_SAMPLES_PER_PASS)):
            samples.append(_generated(game, latent, condition, start))
            start += len(latent)
    return clamp(concatenate(samples), bounds)


def _generated(game: Game, latent: Latent, condition: Sample | None, start: int) -> Sample:
    """Generate the samples of one pass, on the CPU, from its latents and the rows of a condition from ``start`` on."""
    rows = slice(start, start + len(latent))
    return to_device(as_float32(game.generate(latent, to_device(take(condition, rows), latent.device))), "cpu")


def _joined(latents: Iterable[Latent], limit: int) -> Iterator[Latent]:
    """Join latents that follow one another, as long as there are at most ``limit`` rows."""
    waiting = list[Latent]()
    for latent in latents:
        if waiting and sum(map(len, waiting)) + len(latent) > limit:
            yield torch.cat(waiting)
            waiting.clear()
        waiting.append(latent)
    if waiting:
        yield torch.cat(waiting)


def clamp(samples: Sample, bounds: tuple[float, float] | None) -> Sample:
    """Clamp floating-point values to ``bounds``; None leaves them as they are."""
    return samples if bounds is None else map_floats(lambda part: part.clamp(*bounds), samples)


def beside_own_condition(batch: Batch, spec: ConditionSpec | None) -> Batch:
    """Return real samples to be shown, without inputs that do not belong to them, as those of other domains."""
    belongs = spec is None or spec.determines or not spec.required
    return batch if belongs else batch._replace(condition=None)


def conditions_from(data: Dataset, count: int, seed: int) -> Batch:
    """Return ``count`` rows of ``data`` in random order, repeated where there are fewer.

    Their conditions occur in the proportions of the data, each beside the real sample that belongs to it.
    """
    rows = torch.randperm(len(data), generator=generator(seed, "conditions")).numpy()
    return data.batch(np.resize(rows, count))


def has_normal_prior(game: Game) -> bool:
    """Return whether latents leave [-1, 1], as those of a uniform prior never do."""
    latent = game.latent(RandomStream(0, 0, PROBE_SIZE, slice(0, PROBE_SIZE), stream="probe/"))
    return latent.numel() > 0 and bool(latent.abs().max() > 1)


def require_samples(samples: Any, shape: tuple[int, ...], *, any_size: bool) -> None:
    """Refuse anything but samples of a model.

    Args:
        samples: what was given.
        shape: of one sample, where it is one tensor.
        any_size: whether samples of other sizes are of this model, too.

    Raises:
        SparringError: it is something else.
    """
    parts = tensors(samples)
    are_tensors = bool(parts) and all(isinstance(part, Tensor) and part.dim() for part in parts)
    fits = not isinstance(samples, Tensor) or tuple(samples.shape[1:]) == shape
    # Generators of images in any size answer in that of their inputs.
    in_own_size = any_size and isinstance(samples, Tensor) and samples.dim() == 1 + len(shape)
    if not are_tensors or not (fits or in_own_size):
        form = f" of shape {tuple(samples.shape)}" if isinstance(samples, Tensor) else ""
        raise SparringError(
            found=f"a value of type {type(samples).__name__}{form}",
            expected=f"samples of this model, of shape {('count', *shape)}".replace("'", ""),
            remedy="give what model.sample returns, which is a tensor and not decoded",
        )
