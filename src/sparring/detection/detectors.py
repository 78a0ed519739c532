"""Detectors of models: the game itself, the encoder in a run folder, or one that is trained now."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from sparring.arguments import option
from sparring.data.dataset import Dataset
from sparring.detection.conditions import Given
from sparring.detection.fanogan import FAnoGAN
from sparring.detection.learning import EncoderTraining
from sparring.detection.scoring import NetworkScorer
from sparring.detection.stored import Description, described, load_encoder, save_encoder
from sparring.errors import SparringError
from sparring.flow import Anomaly, Batch
from sparring.games.duel import Duel
from sparring.games.game import Detecting
from sparring.manifest import read_manifest
from sparring.randomness import RandomStream
from sparring.runs.folder import Run, open_run
from sparring.samples import Sample, as_float32, to_device
from sparring.tensor_files import below, named_tensors, shapes_of
from sparring.text import command
from sparring.training.checkpoint import FILES, Outline, load_checkpoint, require_shapes, restore_average

if TYPE_CHECKING:
    from sparring.model import Model
    from sparring.runs.display import Display

OWN, F_ANOGAN = "own", "f-anogan"
"""Names of methods: what the game of the model says itself, and an encoder beside a duel."""
EXPLAINED_ROWS, MIN_EXPLAINED = 512, 0.2
"""Training samples that are reconstructed, and the share of their variance that has to be explained."""
EXAMPLE_ROWS = 2
"""Samples from which the sizes of networks are found."""


class Opened(NamedTuple):
    """Players of a run, with their critics.

    Args:
        game: the duel.
        run: the run.
        identity: of the run.
        samples: real samples that the checkpoint had seen.
        checkpoint: digest of its manifest.
    """

    game: Duel
    run: Run
    identity: str
    samples: int
    checkpoint: str


def default_method(model: "Model") -> str:
    """Return the method of a model where none is asked for."""
    return OWN if isinstance(model.game, Detecting) else F_ANOGAN


def own_detector(model: "Model") -> Detecting:
    """Return the game of a model, which tells by itself how unusual samples are.

    Raises:
        SparringError: it does not.
    """
    if not isinstance(model.game, Detecting):
        raise SparringError(
            found=f"a model of {model.name}, whose game does not tell how unusual samples are",
            expected=f"a method that fits it, such as {F_ANOGAN}",
            remedy=f"leave {option('method')} out",
        )
    return model.game


def open_players(model: "Model", folder: Path) -> Opened:
    """Load generator and discriminator of one checkpoint of a run into the game of its model.

    Raises:
        SparringError: it is no run of a duel, or no checkpoint is intact.
    """
    game = model.game
    if not isinstance(game, Duel):
        raise SparringError(
            found=f"a model of {model.name}, which has no discriminator of samples from latents",
            expected=f"a duel of generator and discriminator for {F_ANOGAN}",
            remedy=f"train another recipe on the normal samples, or choose {option('method', 'nearest')}",
        )
    if not (folder / "recipe.json").is_file():
        raise SparringError(
            found=f"a published model in {folder}, which has no discriminator",
            expected="the run folder that it was published from",
            remedy=f"give the run folder, such as runs/NAME-001, or choose {option('method', 'nearest')}",
        )
    if not game.latent(RandomStream(0, 0, 1, slice(0, 1), "probe/")).numel():
        raise SparringError(
            found=f"a model of {model.name}, which has no latents",
            expected="a generator of samples from latents",
            remedy="train another recipe on the normal samples",
        )
    run = open_run(folder)
    identity = run.record.identity

    def check(outline: Outline) -> None:
        critics = shapes_of(named_tensors({f"player/{name}/": game.players[name] for name in game.critics}))
        require_shapes({name: shape for name, shape in outline.players.items() if name in critics}, critics)
        published = shapes_of(named_tensors({f"{name}/": game.players[name] for name in game.published}))
        require_shapes(below(outline.players, "average/"), published)

    # A run that is still training may have saved another checkpoint since the model was loaded.
    snapshot, checkpoint, _ = load_checkpoint(run.checkpoints, identity, check)
    restore_average(game, snapshot)
    for name in game.critics:
        game.players[name].load_state_dict(below(snapshot.players, f"player/{name}/"))
    digest = read_manifest(checkpoint, FILES, identity).digest
    return Opened(game, run, identity, snapshot.state["samples"], digest)


def trained_detector(
    model: "Model", folder: Path, data: Dataset, fingerprint: str, seed: int, device: torch.device, display: "Display"
) -> FAnoGAN:
    """Return the detector in a run folder if it belongs to the newest checkpoint, else train one and store it.

    Args:
        model: the model of the run.
        folder: of the run.
        data: training samples.
        fingerprint: of the training data.
        seed: of the encoder.
        device: device to train on.
        display: shows the progress, and says that a detector is damaged or of another checkpoint.

    Raises:
        SparringError: the model is no duel from latents, or the folder is no run.
    """
    given = Given(model)
    opened = open_players(model, folder)
    wanted = Description(
        method=F_ANOGAN,
        run=opened.identity,
        samples=opened.samples,
        checkpoint=opened.checkpoint,
        data=fingerprint,
        seed=seed,
    )
    detector = FAnoGAN(opened.game, example_of(model), seed)
    if _is_loaded(detector, opened.run, wanted, display):
        return detector
    with using(model, detector, device):
        EncoderTraining(detector, data, given, seed, device, partial(display.count, "training the detector")).run()
    save_encoder(opened.run, wanted, detector.encoder)
    return detector


def doubts(model: "Model", detector: Detecting, data: Dataset, device: torch.device) -> list[str]:
    """Return a sentence about an encoder that does not reconstruct normal samples, as where choices are drawn.

    Args:
        model: the model.
        detector: of the model, on ``device``.
        data: training samples.
        device: device to compute on.
    """
    if not isinstance(detector, FAnoGAN):
        return []
    batch = Given(model).known(data.batch(slice(0, EXPLAINED_ROWS)))
    if detector.explained(to_device(batch, device)) >= MIN_EXPLAINED:
        return []
    return [
        "The detector reconstructs normal samples no better than their mean would, so its scores say little: choose "
        "another --method, such as nearest."
    ]


def stored_detector(model: "Model", folder: Path) -> Detecting:
    """Return the game of a model if it tells how unusual samples are, else the detector that is stored in its run.

    Raises:
        SparringError: there is none for the newest checkpoint, or the model can have none.
    """
    if isinstance(model.game, Detecting):
        return model.game
    Given(model)
    opened = open_players(model, folder)
    found = described(opened.run)
    if found is None or found.checkpoint != opened.checkpoint:
        raise SparringError(
            found=f"no detector for the newest checkpoint in {folder}",
            expected="one that was trained before",
            remedy=f"run `{command('sparring', 'detect', folder, 'DATA')}` first",
        )
    detector = FAnoGAN(opened.game, example_of(model), found.seed)
    load_encoder(opened.run, detector.encoder)
    return detector


def example_of(model: "Model") -> Batch:
    """Return generated samples with their conditions."""
    condition = model.conditions(EXAMPLE_ROWS)
    latent = model.game.latent(RandomStream(0, 0, EXAMPLE_ROWS, slice(0, EXAMPLE_ROWS), "probe/"))
    with torch.no_grad():
        return Batch(as_float32(model.game.generate(latent, condition)), condition)


def _is_loaded(detector: FAnoGAN, run: Run, wanted: Description, display: "Display") -> bool:
    """Load the encoder of a run if it is the wanted one; else say why it is trained again."""
    try:
        found = described(run)
        if found is not None and found == wanted:
            load_encoder(run, detector.encoder)
            detector.encoder.requires_grad_(False)
            return True
    except SparringError as error:
        display.say(f"The detector in {run.folder} is damaged ({error.found}): it is trained again.")
        return False
    if found is not None:
        what = "an earlier checkpoint" if found.checkpoint != wanted.checkpoint else "another seed or other data"
        display.say(f"The detector in {run.folder} is one of {what}: it is trained again.")
    return False


def anomaly_of(model: "Model", samples: Sample, device: torch.device) -> Anomaly:
    """Return how unusual samples in memory are, on the CPU; see ``Model.anomaly``."""
    folder = model.folder
    if folder is None and not isinstance(model.game, Detecting):
        raise SparringError(
            found="a model in memory",
            expected="one that was loaded from a run folder",
            remedy="load it by sparring.load",
        )
    detector = stored_detector(model, folder) if folder is not None else own_detector(model)
    with using(model, detector, device):
        return NetworkScorer(model, detector, device).of(samples)


@contextmanager
def using(model: "Model", detector: Detecting, device: torch.device) -> Iterator[None]:
    """Bring the networks of a detector to a device while the block runs, and back to the CPU afterwards."""
    networks = [model.game.players[name] for name in model.game.published]
    if isinstance(detector, FAnoGAN):
        networks = detector.networks
    try:
        for network in networks:
            network.to(device)
        yield
    finally:
        for network in networks:
            network.to("cpu")
