"""Heat maps: images beside the places that contribute to their scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arguments import option
from sparring.data.dataset import Dataset
from sparring.data.own_output import earlier_files, record_own, replace_own
from sparring.detection.scoring import Scorer
from sparring.errors import SparringError, writing
from sparring.rendering.exhibits import picture_of, require_own
from sparring.rendering.grids import beside, image_grid
from sparring.samples import Sample
from sparring.storage import write_bytes

MAX_SHOWN, COLUMNS = 24, 8
"""Images on the sheet, and pictures in a row of it, of which each second one is a heat map."""
BRIGHTEST = 0.999
"""Quantile of all places that is drawn white."""
STEPS = ((0.0, 0.0, 0.0), (0.45, 0.0, 0.1), (0.9, 0.3, 0.0), (1.0, 0.8, 0.2), (1.0, 1.0, 1.0))
"""Colours from nothing to the largest contribution: black, red, orange, yellow, white; brighter for more."""


@final
@dataclass(frozen=True)
class HeatMaps:
    """Files of heat maps.

    Args:
        folder: for a picture of each image; None for none.
        sheet: file of the picture of the most unusual images; None for none.
        earlier: files of an earlier call in the folder, which are replaced.
    """

    folder: Path | None
    sheet: Path | None
    earlier: Sequence[Path]

    @staticmethod
    def at(folder: Path | None, table: Path | None) -> "HeatMaps":
        """Return heat maps in a folder, and a sheet beside a table of scores.

        Raises:
            SparringError: the folder holds other files, or the sheet would replace one.
        """
        sheet = None if table is None else table.with_name(f"{table.stem}-maps.png")
        require_own({} if sheet is None else {sheet: b""})
        return HeatMaps(folder, sheet, earlier_files(folder, option="maps") if folder is not None else ())

    def write(self, scorer: Scorer, samples: Dataset, scores: NDArray[np.float64], names: Sequence[str]) -> list[Path]:
        """Write the files of images and return the sheet and the folder; none of other samples.

        Where a method has no places in images, the sheet has the images alone, and there is no folder.

        Args:
            scorer: of the images.
            samples: the images.
            scores: of each.
            names: of each.
        """
        # The most unusual images set the scale of all.
        top = np.argsort(-scores, kind="stable")[:MAX_SHOWN]
        images, heat = _mapped(scorer, samples.subset(top))
        if not isinstance(images, Tensor) or images.dim() != 4:
            return []
        pictures, brightest = images, 0.0
        if heat is not None:
            brightest = float(heat.flatten().quantile(BRIGHTEST)) if heat.numel() < 2**24 else float(heat.max())
            pictures = beside(images, coloured(heat, brightest))
        written = list[Path]()
        if self.sheet is not None:
            grid = image_grid(pictures, columns=min(COLUMNS, len(pictures)), group=1 if heat is None else 2)
            with writing(self.sheet):
                self.sheet.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(self.sheet, picture_of(grid).file)
            written.append(self.sheet)
        if self.folder is not None and heat is not None:
            with writing(self.folder):
                self._write_each(scorer, samples, names, brightest)
            written.append(self.folder)
        return written

    def _write_each(self, scorer: Scorer, samples: Dataset, names: Sequence[str], brightest: float) -> None:
        assert self.folder is not None
        replace_own(self.folder, self.earlier)
        files, row = list[Path](), 0
        for part in scorer(samples):
            assert part.places is not None
            images = samples.batch(slice(row, row + len(part.score))).real
            for image, heat in zip(images, coloured(_summed(part.places), brightest), strict=True):
                grid = image_grid(beside(image[None], heat[None]), columns=2)
                stem = PurePosixPath(names[row].replace("\\", "/")).stem
                files.append(self.folder / f"{row + 1:06d}-{''.join(_kept(one) for one in stem)[:80]}.png")
                write_bytes(files[-1], picture_of(grid).file)
                row += 1
        record_own(self.folder, files, ())


def coloured(heat: Tensor, brightest: float) -> Tensor:
    """Return heat maps as images, (count, 3, height, width) in [-1, 1].

    Args:
        heat: (count, height, width), not negative.
        brightest: value that is drawn white; those above are, too.
    """
    place = (heat / max(brightest, 1e-30)).clamp(0, 1).sqrt() * (len(STEPS) - 1)
    steps = torch.tensor(STEPS, dtype=torch.float32)
    below = place.floor().long().clamp(max=len(STEPS) - 2)
    colours = torch.lerp(steps[below], steps[below + 1], (place - below).float()[..., None])  # (…, 3)
    return colours.permute(0, 3, 1, 2) * 2 - 1


def require_images(shape: tuple[int, ...]) -> None:
    """Refuse samples that are no images.

    Raises:
        SparringError: they are something else.
    """
    if len(shape) != 3:
        raise SparringError(
            found=f"{option('maps')} for samples that are no images", expected="images", remedy="leave it out"
        )


def _mapped(scorer: Scorer, samples: Dataset) -> tuple[Sample, Tensor | None]:
    """Return images, or other samples, and the sum of their places over the channels, (count, height, width)."""
    places = [part.places for part in scorer(samples)]
    found = [_summed(one) for one in places if one is not None and one.dim() == 4]
    return samples.batch(slice(None)).real, torch.cat(found) if found else None


def _summed(places: Tensor) -> Tensor:
    return places.sum(1).clamp(min=0)


def _kept(letter: str) -> str:
    return letter if letter.isalnum() or letter in "-_." else "-"
