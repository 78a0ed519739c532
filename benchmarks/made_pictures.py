"""Pictures as users have them, made by a script: textured clothes, faces with labels, and icons with transparency.

    python benchmarks/made_pictures.py FOLDER [--count 3000] [--seed 0]

FOLDER/clothes holds 28 × 28 grey pictures in a sub-folder for each of six kinds, with knitted and woven textures.
FOLDER/faces holds 64 × 64 colour pictures and labels.csv, with two attributes of each. FOLDER/icons holds 48 × 48
pictures with a transparent background, in one folder.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

LARGER = 4
"""Factor by which shapes are drawn larger and then reduced, for smooth edges."""
CLOTHES: dict[str, str] = {
    "shirt": ".3 .1 .7 .1 .98 .35 .85 .5 .72 .38 .72 .92 .28 .92 .28 .38 .15 .5 .02 .35",
    "trousers": ".3 .05 .7 .05 .78 .97 .56 .97 .5 .35 .44 .97 .22 .97",
    "dress": ".38 .05 .62 .05 .6 .4 .82 .95 .18 .95 .4 .4",
    "shoe": ".03 .5 .25 .45 .4 .58 .75 .64 .97 .75 .97 .85 .03 .85",
    "bag": ".08 .4 .3 .4 .35 .2 .65 .2 .7 .4 .92 .4 .88 .9 .12 .9",
    "coat": ".28 .06 .5 .14 .72 .06 .95 .85 .8 .88 .7 .5 .74 .97 .26 .97 .3 .5 .2 .88 .05 .85",
}
"""Kind → corners of its outline, x and y in turn, as shares of width and height."""


def clothing(kind: str, random: np.random.Generator) -> Image.Image:
    """Return a 28 × 28 grey picture of one piece: its outline varied, its cloth knitted, woven or plain."""
    size = 28 * LARGER
    outline = np.array(CLOTHES[kind].split(), np.float64).reshape(-1, 2)
    outline = outline + random.normal(0, 0.015, outline.shape)
    outline = (outline - 0.5) * random.uniform(0.82, 1.0, 2) + 0.5
    mask = Image.new("L", (size, size))
    ImageDraw.Draw(mask).polygon([tuple(corner * size) for corner in outline], fill=255)
    shape = np.asarray(mask.resize((28, 28), Image.Resampling.BOX), np.float64) / 255

    # The cloth: stripes across or along, with a period of 3 to 8 pixels, soft folds, and grain.
    rows, columns = np.mgrid[:28, :28]
    along = random.choice([0.0, np.pi / 2, np.pi / 4])
    place = rows * np.cos(along) + columns * np.sin(along)
    stripes = random.choice([0.0, 0.18]) * np.sin(2 * np.pi * place / random.uniform(3, 8))
    folds = 0.12 * np.sin(2 * np.pi * columns / random.uniform(10, 25) + random.uniform(0, 6))
    cloth = random.uniform(0.35, 0.85) + stripes + folds + random.normal(0, 0.03, (28, 28))
    return Image.fromarray((255 * np.clip(shape * cloth, 0, 1)).astype(np.uint8))


def face(glasses: bool, smiling: bool, random: np.random.Generator) -> Image.Image:
    """Return a 64 × 64 colour picture of an oval with eyes, a mouth and hair on a soft background."""
    size = 64 * LARGER
    background = tuple(int(value) for value in random.integers(60, 220, 3))
    picture = Image.new("RGB", (size, size), background)
    draw = ImageDraw.Draw(picture)
    skin = np.array([random.uniform(120, 240), 0, 0])
    skin[1], skin[2] = skin[0] * random.uniform(0.72, 0.85), skin[0] * random.uniform(0.55, 0.72)
    colour = tuple(int(value) for value in skin)
    hair = tuple(int(value) for value in random.uniform(10, 120) * np.array([1, random.uniform(0.6, 0.9), 0.5]))

    def at(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        return ((x - width) * size, (y - height) * size, (x + width) * size, (y + height) * size)

    x, y = 0.5 + random.normal(0, 0.025), 0.53 + random.normal(0, 0.025)
    width, height = random.uniform(0.24, 0.31), random.uniform(0.33, 0.4)
    draw.ellipse(at(x, y - 0.07, width * 1.15, height * 1.05), fill=hair)
    draw.ellipse(at(x, y + 0.03, width, height), fill=colour)
    eyes, apart = y - random.uniform(0.02, 0.06), random.uniform(0.1, 0.13)
    iris = tuple(int(value) for value in random.integers(20, 110, 3))
    for side in (-1, 1):
        draw.ellipse(at(x + side * apart, eyes, 0.045, 0.026), fill=(245, 245, 245))
        draw.ellipse(at(x + side * apart, eyes, 0.02, 0.022), fill=iris)
        if glasses:
            draw.ellipse(at(x + side * apart, eyes, 0.085, 0.07), outline=(20, 20, 20), width=LARGER + 1)
    if glasses:
        draw.line([((x - 0.03) * size, eyes * size), ((x + 0.03) * size, eyes * size)], fill=(20, 20, 20), width=LARGER)
    shade = tuple(int(0.8 * value) for value in skin)
    nose = [(x, y - 0.01), (x - 0.03, y + 0.1), (x + 0.03, y + 0.1)]
    draw.polygon([(across * size, down * size) for across, down in nose], fill=shade)
    mouth = at(x, y + 0.19, random.uniform(0.08, 0.12), 0.06 if smiling else 0.014)
    if smiling:
        draw.chord(mouth, 10, 170, fill=(150, 40, 50))
    else:
        draw.ellipse(mouth, fill=(150, 60, 60))
    small = picture.resize((64, 64), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.4))
    noisy = np.asarray(small, np.float64) + random.normal(0, 4, (64, 64, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def icon(random: np.random.Generator) -> Image.Image:
    """Return a 48 × 48 picture with transparency: a disc, square, star or drop with a smaller mark on it."""
    size = 48 * LARGER
    picture = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(picture)
    hue = random.integers(40, 255, 3)
    fill, mark = (*(int(value) for value in hue), 255), (*(int(value) for value in 255 - hue // 2), 255)
    middle, radius = size / 2, size * random.uniform(0.33, 0.46)
    box = (middle - radius, middle - radius, middle + radius, middle + radius)
    kind = random.integers(4)
    if kind == 0:
        draw.ellipse(box, fill=fill)
    elif kind == 1:
        draw.rounded_rectangle(box, radius * random.uniform(0.1, 0.5), fill=fill)
    else:
        points = int(random.integers(5, 9)) if kind == 2 else 3
        inner = radius * random.uniform(0.45, 0.7)
        turns = np.arange(2 * points) * np.pi / points - np.pi / 2
        reach = np.where(np.arange(2 * points) % 2 == 0, radius, inner)
        corners = [(middle + r * np.cos(turn), middle + r * np.sin(turn)) for r, turn in zip(reach, turns, strict=True)]
        draw.polygon(corners, fill=fill)
    small = radius * random.uniform(0.2, 0.4)
    spot = (middle - small, middle - small, middle + small, middle + small)
    (draw.ellipse if random.random() < 0.5 else draw.rectangle)(spot, fill=mark)
    return picture.resize((48, 48), Image.Resampling.BOX)


def write(folder: Path, count: int, seed: int) -> None:
    """Write ``count`` pictures of each of the three into sub-folders of ``folder``."""
    random = np.random.default_rng(seed)
    kinds = list(CLOTHES)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        _save(folder / "clothes" / kind / f"{number:05d}.png", clothing(kind, random))
    labels = []
    for number in range(count):
        glasses, smiling = bool(random.random() < 0.35), bool(random.random() < 0.5)
        _save(folder / "faces" / f"{number:05d}.png", face(glasses, smiling, random))
        labels.append((f"{number:05d}.png", "glasses" if glasses else "none", "smiling" if smiling else "serious"))
    with (folder / "faces" / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "eyes", "mouth"), *labels])
    for number in range(count):
        _save(folder / "icons" / f"{number:05d}.png", icon(random))


def _save(path: Path, picture: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write(options.folder, options.count, options.seed)


if __name__ == "__main__":
    main()
