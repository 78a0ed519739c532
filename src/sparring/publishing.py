"""Published folders: config.json, the weights, the model card, and a manifest of all three.

Whoever gets one trusts nothing in it. Nothing private goes out: of paths, only the last name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

from pydantic import ConfigDict, with_config
from safetensors.torch import save
from torch import Tensor
from typing_extensions import TypedDict

from sparring.data.facts import Facts
from sparring.data.own_output import require_own
from sparring.errors import SparringError
from sparring.manifest import NAME as MANIFEST
from sparring.manifest import Manifest, read_manifest, verify_file, write_manifest
from sparring.opening import require_plain
from sparring.recipe import Recipe, is_own
from sparring.runs.folder import versions
from sparring.schema import STORED, Count, require_format, validated
from sparring.storage import read_json, write_bytes, write_json, write_text
from sparring.tensor_files import Shapes, read_tensors, shapes_in
from sparring.text import markdown

FORMAT, READABLE_FORMATS = 3, (1, 2, 3)
"""Format of config.json that is written, and formats that can be read. Formats 1 and 2 have no manifest."""
CONFIG, WEIGHTS, CARD = "config.json", "weights.safetensors", "README.md"
FORMAT_1_WEIGHTS = "generator.safetensors"
COLUMNS, MAX_COLUMNS = ("columns", "channels"), 40
"""Parts of ``Facts.coding`` whose names the model card lists, and how many of them."""
NOT_VERIFIED = "An earlier version of sparring published this folder without a manifest: its files cannot be verified."
CARD_CHANGED = f"{CARD} was edited after it was written; the model was not."


@with_config(STORED)
class History(TypedDict, total=False):
    """Provenance of a model."""

    seed: int
    samples: Count
    versions: dict[str, str]
    run: str


@final
@dataclass(frozen=True)
class Config:
    """Content of config.json: all that is needed to build the networks.

    Args:
        recipe: name of the recipe.
        fields: field of the recipe → value.
        facts: description of the training data.
        history: provenance.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    recipe: str
    fields: dict[str, Any]
    facts: Facts
    history: History


@final
@dataclass(frozen=True)
class Published:
    """A published folder whose config.json was read and, where it has a manifest, verified.

    Args:
        folder: the folder.
        config: content of its config.json.
        manifest: of its files; None in a folder of an earlier version.
        weights_file: name of the file of the weights.
        remarks: full sentences about its files.
    """

    folder: Path
    config: Config
    manifest: Manifest | None
    weights_file: str
    remarks: tuple[str, ...]

    def shapes(self) -> Shapes:
        """Return the shapes of the weights, of which none is read; see ``shapes_in``."""
        return shapes_in(self.folder / self.weights_file)

    def weights(self) -> dict[str, Tensor]:
        """Read the weights, "player/key"; see ``read_tensors``."""
        path = self.folder / self.weights_file
        if self.manifest is None:
            return read_tensors(path)
        written = self.manifest.files[self.weights_file]
        return read_tensors(path, size=written.bytes, digest=written.sha256)


def write_published(
    folder: Path,
    weights: Mapping[str, Tensor],
    recipe: Recipe,
    config: Config,
    classes: Sequence[str],
    direction: str,
    example: str,
    *,
    adversarial: bool,
) -> Path:
    """Write the files of a published folder, the manifest last, and return the folder.

    Args:
        folder: empty, or one that was written by this function, whose files are replaced; created if need be.
        weights: "player/key" → weight.
        recipe: with every field resolved.
        config: name of the recipe, fields, facts and history; private paths are left out here.
        classes: names of the classes that can be sampled.
        direction: of a translation, by the names of its sides; or "".
        example: call of a method of the model that generates samples, for the model card.
        adversarial: whether a discriminator took part in the training; otherwise it is no GAN.

    Raises:
        SparringError: the folder holds other files.
    """
    require_own(folder)
    folder.mkdir(parents=True, exist_ok=True)
    reading = {
        name: last_name(one) if name in ("labels", "pairs", "to") and isinstance(one, str) else one
        for name, one in config.facts.reading.items()
    }
    source = last_name(config.facts.source)
    facts = replace(config.facts, source=source, reading=reading, details={}, remarks=())
    fields = {
        name: last_name(value) if isinstance(value, str) and is_own(value) else value
        for name, value in config.fields.items()
    }
    recipe_name = last_name(config.recipe) if is_own(config.recipe) else config.recipe
    public = replace(config, recipe=recipe_name, fields=fields, facts=facts)
    # The first file marks the folder, so that a call after a kill can finish it; until the last one, it is refused.
    write_json(folder / CONFIG, {"format": FORMAT, **vars(public), "facts": facts.as_json()})
    write_bytes(folder / WEIGHTS, save(dict(weights)))
    write_text(folder / CARD, _model_card(recipe, public, classes, direction, example, adversarial))
    history = public.history
    write_manifest(folder, (CONFIG, WEIGHTS, CARD), history.get("run", ""), history.get("samples", 0))
    return folder


def read_published(folder: Path) -> Published:
    """Read the config.json of a published folder and verify it; weights are verified when they are read.

    Raises:
        SparringError: it is damaged, has another format, or has a link, a pipe or a device in it.
    """
    require_plain(folder)
    path = folder / CONFIG
    content = read_json(path)
    found = require_format(content, READABLE_FORMATS, path)

    # Verify what the manifest lists. People add to the card, so a change there is told and no more.
    manifest, remarks = None, [NOT_VERIFIED]
    if found == FORMAT or (folder / MANIFEST).exists():
        manifest, remarks = read_manifest(folder, (CONFIG, WEIGHTS, CARD)), []
        verify_file(folder, CONFIG, manifest.files[CONFIG])
        try:
            verify_file(folder, CARD, manifest.files[CARD])
        except SparringError:
            remarks.append(CARD_CHANGED)

    facts = Facts.from_json(content.get("facts"), str(path))
    values = {name: value for name, value in content.items() if name != "format"} | {"facts": facts.as_json()}
    config = replace(validated(Config, values, path), facts=facts)
    return Published(folder, config, manifest, FORMAT_1_WEIGHTS if found == 1 else WEIGHTS, tuple(remarks))


def last_name(path: str) -> str:
    """Return the last name in a path of any system; "data" where it has none."""
    name = re.split(r"[/\\]+", path.rstrip("/\\"))[-1]
    return "data" if name in ("", ".", "..") else name


def _model_card(
    recipe: Recipe, config: Config, classes: Sequence[str], direction: str, example: str, adversarial: bool
) -> str:
    """Return the model card, in Markdown, with verified facts only."""
    facts, history = config.facts, config.history
    shape = " × ".join(str(side) for side in recipe.view(facts).shape)
    tags = ", ".join([*(["gan"] if adversarial else []), facts.modality])
    parts = [one for kind in COLUMNS for one in facts.coding.get(kind, ())]
    columns = [markdown(one if isinstance(one, str) else str(one["name"])) for one in parts]
    more = f" and {len(columns) - MAX_COLUMNS:,} more" if len(columns) > MAX_COLUMNS else ""
    named = f"\n* columns: {', '.join(columns[:MAX_COLUMNS])}{more}" if columns else ""
    named += f"\n* classes: {', '.join(map(markdown, classes))}" if classes else ""
    translates = f"\n* direction: {markdown(direction)}" if direction else ""

    # The card is read elsewhere, where the path to the data would mean nothing.
    return f"""---
library_name: sparring
tags: [{tags}]
---
# A generator of {markdown(facts.modality)}, trained with sparring

* recipe: {markdown(config.recipe)} ({type(recipe).paper})
* training data: {facts.count} samples from {markdown(facts.source)}, fingerprint `{facts.fingerprint[:16]}`
* shape of a sample: {shape}{named}{translates}
* real samples seen: {history.get("samples")}, seed {history.get("seed")}

Its samples are synthetic: label them as such wherever you show them.

    import sparring
    model = sparring.load("this/folder")
    samples = model.{example}

Written by sparring {versions()["sparring"]}. The folder holds JSON and safetensors only, and no executable code.
"""
