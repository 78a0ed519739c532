"""Files keep their names and sizes, and the same call goes on after an interruption."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.api import apply as module
from sparring.api.apply import apply
from sparring.api.sample import SavedSamples
from sparring.cli import main
from sparring.data.journal import JOURNAL, PART, UNFINISHED, read_journal
from sparring.data.own_output import MARKER
from sparring.data.readers.files import open_tree
from sparring.errors import SparringError
from sparring.modalities.images.inputs import ImageInput
from sparring.model import load
from sparring.runs.display import Silent
from toys.painters import Painter, published

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Painter]:
    return published(tmp_path_factory.mktemp("models") / "pair", "pair")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    random = np.random.default_rng(0)
    for name, size in {"a.jpg": (9, 14), "b.png": (20, 7), "trip/a.jpg": (5, 5), "trip/b.webp": (16, 8)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(256, size=(*size, 3), dtype=np.uint8)).save(path)
    return folder


def applied(painter: tuple[Path, Painter], inputs: Any, out: Path, **choices: Any) -> SavedSamples:
    model, recipe = painter
    return apply(model, inputs, out=out, recipe=recipe, **{"display": Silent(), **choices})


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder) - {MARKER}}


def test_names_sub_folders_and_sizes_are_kept(painter: tuple[Path, Painter], photos: Path, tmp_path: Path) -> None:
    saved = applied(painter, [str(photos)], tmp_path / "out")
    assert files(tmp_path / "out") == {"a.png", "b.png", "trip/a.png", "trip/b.png", MARKER}
    assert saved.count == 4 and set(saved.files) == {tmp_path / "out" / name for name in contents(tmp_path / "out")}
    for name, source in (("a.png", "a.jpg"), ("trip/b.png", "trip/b.webp")):
        with Image.open(tmp_path / "out" / name) as image, Image.open(photos / source) as original:
            assert image.size == original.size
    model = load(painter[0], recipe=painter[1])
    expected = model.apply([photos / "a.jpg", photos / "b.png"])
    with Image.open(tmp_path / "out" / "b.png") as image:
        found = np.asarray(image)
    np.testing.assert_array_equal(found, ((expected[1][0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def test_equal_names_never_replace_one_another(painter: tuple[Path, Painter], photos: Path, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(photos / "a.png")
    Image.new("RGB", (4, 4)).save(photos / "A.bmp")
    inputs = [str(photos / "a.jpg"), str(photos / "a.png"), str(photos / "A.bmp"), str(photos / "trip" / "a.jpg")]
    applied(painter, inputs, tmp_path / "out")
    assert sorted(contents(tmp_path / "out")) == ["A-3.png", "a-2.png", "a-4.png", "a.png"]


def test_a_folder_may_be_called_like_a_file(painter: tuple[Path, Painter], photos: Path, tmp_path: Path) -> None:
    (photos / "a.png").mkdir()
    Image.new("RGB", (4, 4)).save(photos / "a.png" / "x.jpg")
    applied(painter, photos, tmp_path / "out")
    assert {"a-2.png", "a.png/x.png"} <= files(tmp_path / "out")


def test_orientation_is_applied_and_transparency_put_back(
    painter: tuple[Path, Painter], photos: Path, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(256, size=(6, 10, 4), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image.save(photos / "turned.png", exif=exif)
    saved = applied(painter, photos / "turned.png", tmp_path / "out")
    with Image.open(saved.files[0]) as result:
        assert result.size == (6, 10) and result.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(result)[..., 3], np.rot90(pixels[..., 3], -1))
    same = applied(painter, photos / "turned.png", tmp_path / "same", strength=0)
    with Image.open(same.files[0]) as result:
        np.testing.assert_array_equal(np.asarray(result), np.rot90(pixels, -1))


def test_enlarged_images_have_enlarged_transparency(tmp_path: Path) -> None:
    small = published(tmp_path / "small", "small")
    pixels = np.random.default_rng(1).integers(256, size=(6, 10, 4), dtype=np.uint8)
    pixels[..., 3] = 128
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with Image.open(applied(small, tmp_path / "a.png", tmp_path / "out").files[0]) as result:
        assert result.size == (20, 12) and (np.asarray(result)[..., 3] == 128).all()


def test_a_filled_hole_is_opaque_and_the_rest_is_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(256, size=(8, 8, 4), dtype=np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    mask[2:4] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    saved = applied(
        published(tmp_path / "hole", "hole"), tmp_path / "a.png", tmp_path / "out", mask=tmp_path / "mask.png"
    )
    with Image.open(saved.files[0]) as result:
        found = np.asarray(result)
    np.testing.assert_array_equal(found[mask == 0], pixels[mask == 0])
    assert (found[2:4, :, 3] == 255).all()


def test_several_answers_have_their_own_latents(painter: tuple[Path, Painter], photos: Path, tmp_path: Path) -> None:
    applied(painter, photos / "a.jpg", tmp_path / "three", count=3)
    assert sorted(contents(tmp_path / "three")) == ["a-0.png", "a-1.png", "a-2.png"]
    assert len(set(contents(tmp_path / "three").values())) == 3
    applied(painter, photos / "a.jpg", tmp_path / "one")
    assert (tmp_path / "one" / "a.png").read_bytes() == (tmp_path / "three" / "a-0.png").read_bytes()


class TestInterruption:
    """A call that stops midway."""

    @pytest.fixture
    def stopped(
        self, painter: tuple[Path, Painter], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        """Stop in the middle of the third file."""
        write, written = ImageInput.write, list[str]()

        def stopping(one: ImageInput, generator: Any, path: Path) -> Any:
            written.append(one.name)
            if len(written) == 3:
                path.write_bytes(b"half a file")
                raise KeyboardInterrupt
            return write(one, generator, path)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="stopped after 2 files"):
            patch.setattr(ImageInput, "write", stopping)
            applied(painter, photos, tmp_path / "out")
        return tmp_path / "out"

    def test_the_same_call_goes_on_with_what_is_missing(
        self,
        stopped: Path,
        painter: tuple[Path, Painter],
        photos: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert files(stopped) == {"a.png", "b.png", MARKER, f"{UNFINISHED}/{JOURNAL}", f"{UNFINISHED}/{PART}"}
        written, write = list[str](), ImageInput.write

        def recording(one: ImageInput, *further: Any) -> Any:
            written.append(one.name)
            return write(one, *further)

        monkeypatch.setattr(ImageInput, "write", recording)
        saved = applied(painter, photos, stopped)
        assert written == ["trip/a.jpg", "trip/b.webp"] and saved.count == 4
        applied(painter, photos, tmp_path / "whole")
        assert contents(stopped) == contents(tmp_path / "whole")

    @pytest.mark.parametrize("change", ["seed", "input"])
    def test_another_call_starts_again(
        self, change: str, stopped: Path, painter: tuple[Path, Painter], photos: Path, tmp_path: Path
    ) -> None:
        seed = 1 if change == "seed" else 0
        if change == "input":
            Image.new("RGB", (3, 3)).save(photos / "b.png")
        applied(painter, photos, stopped, seed=seed)
        applied(painter, photos, tmp_path / "whole", seed=seed)
        assert contents(stopped) == contents(tmp_path / "whole")

    def test_a_file_that_was_edited_since_is_never_replaced(
        self, stopped: Path, painter: tuple[Path, Painter], photos: Path
    ) -> None:
        (stopped / "a.png").write_bytes(b"the user's own")
        for seed in (0, 1):
            with pytest.raises(SparringError, match=r"did not write \(a\.png\)"):
                applied(painter, photos, stopped, seed=seed)
        assert (stopped / "a.png").read_bytes() == b"the user's own"

    def test_a_torn_journal_repeats_the_last_file_only(
        self, stopped: Path, painter: tuple[Path, Painter], photos: Path
    ) -> None:
        journal = stopped / UNFINISHED / JOURNAL
        journal.write_bytes(journal.read_bytes()[:-20])
        (stopped / "b.png").unlink()
        assert list(read_journal(stopped)) == ["a.png"]
        assert applied(painter, photos, stopped).count == 4

    def test_the_results_below_the_inputs_are_no_inputs(self, painter: tuple[Path, Painter], photos: Path) -> None:
        for _ in range(2):
            assert applied(painter, photos, photos / "out").count == 4
        assert len(open_tree(photos).entries) == 4


def test_a_finished_call_is_replaced_and_this_is_said(
    painter: tuple[Path, Painter], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    applied(painter, photos, tmp_path / "out", display=None)
    assert "Replaces" not in capsys.readouterr().err
    applied(painter, photos / "b.png", tmp_path / "out", display=None)
    assert files(tmp_path / "out") == {"b.png", MARKER} and not (tmp_path / "out" / "trip").exists()
    assert f"Replaces 4 files of earlier calls in {tmp_path / 'out'}" in capsys.readouterr().err


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the inputs whose results are computed."""
    names, write = list[str](), ImageInput.write

    def recording(one: ImageInput, *further: Any) -> Any:
        names.append(one.name)
        return write(one, *further)

    monkeypatch.setattr(ImageInput, "write", recording)
    return names


def test_results_that_are_up_to_date_are_not_computed_again(
    painter: tuple[Path, Painter],
    photos: Path,
    tmp_path: Path,
    computed: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    applied(painter, photos, tmp_path / "out")
    before = contents(tmp_path / "out")
    computed.clear()
    assert applied(painter, photos, tmp_path / "out", display=None).count == 4 and computed == []
    assert contents(tmp_path / "out") == before and "4 of 4 results are up to date." in capsys.readouterr().err
    # One input changes, another is new and one is gone.
    Image.new("RGB", (3, 3)).save(photos / "b.png")
    Image.new("RGB", (4, 4)).save(photos / "trip" / "z.png")
    (photos / "trip" / "b.webp").unlink()
    applied(painter, photos, tmp_path / "out", display=None)
    assert computed == ["b.png", "trip/z.png"] and "Replaces 2 files" in capsys.readouterr().err
    assert files(tmp_path / "out") == {"a.png", "b.png", "trip/a.png", "trip/z.png", MARKER}


@pytest.mark.parametrize("choices", [{"seed": 1}, {"strength": 0.5}])
def test_results_with_another_option_are_not_up_to_date(
    choices: dict[str, Any], painter: tuple[Path, Painter], photos: Path, tmp_path: Path, computed: list[str]
) -> None:
    applied(painter, photos, tmp_path / "out")
    computed.clear()
    applied(painter, photos, tmp_path / "out", **choices)
    assert len(computed) == 4


@pytest.mark.parametrize("foreign", ["mine.txt", "trip/mine.txt", ".sparring-unfinished/mine.txt"])
def test_files_of_others_are_never_replaced(
    foreign: str, painter: tuple[Path, Painter], photos: Path, tmp_path: Path
) -> None:
    applied(painter, photos, tmp_path / "out")
    (tmp_path / "out" / foreign).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / foreign).write_text("mine")
    with pytest.raises(SparringError, match=r"did not write \(mine.txt\)"):
        applied(painter, photos, tmp_path / "out")
    assert (tmp_path / "out" / foreign).read_text() == "mine" and (tmp_path / "out" / "trip" / "a.png").exists()


def test_a_marker_of_a_stranger_reaches_nothing_outside(
    painter: tuple[Path, Painter], photos: Path, tmp_path: Path
) -> None:
    """Neither by a path with two dots nor by a link to a folder."""
    applied(painter, photos, tmp_path / "out")
    marker = json.loads((tmp_path / "out" / MARKER).read_text())
    (tmp_path / "out" / "trip").rename(tmp_path / "elsewhere")
    (tmp_path / "out" / "trip").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SparringError, match=r"did not write \(trip\)"):
        applied(painter, photos, tmp_path / "out")
    digest = marker["files"]["trip/a.png"]
    (tmp_path / "out" / MARKER).write_text(json.dumps({**marker, "files": {"trip/../../elsewhere/a.png": digest}}))
    with pytest.raises(SparringError, match="did not write"):
        applied(painter, photos, tmp_path / "out")
    assert files(tmp_path / "elsewhere") == {"a.png", "b.png"}


def test_unreadable_inputs_are_skipped_and_said(
    painter: tuple[Path, Painter], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    assert applied(painter, photos, tmp_path / "out", display=None).count == 3
    assert "Skipped b.png. Found b.png, which cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"count": 0}, "count=0"),
        ({"strength": 1.5}, "strength=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"mask": "x.png"}, "mask='x.png'"),
    ],
)
def test_odd_arguments_are_one_sentence(
    choices: dict[str, Any], words: str, painter: tuple[Path, Painter], photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(SparringError, match=words):
        applied(painter, photos, tmp_path / "out", **choices)
    assert not (tmp_path / "out").exists()


def test_no_usable_input_is_an_error(painter: tuple[Path, Painter], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SparringError, match="nothing in"):
        applied(painter, tmp_path / "in", tmp_path / "out")
    for name in "ab":
        (tmp_path / "in" / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(SparringError, match=r"a\.png, which cannot be read"):
        applied(painter, tmp_path / "in", tmp_path / "out")
    assert files(tmp_path / "out") <= {MARKER}


def test_no_name_leads_out_of_the_folder() -> None:
    class Named:
        suffix = ".png"

        def __init__(self, name: str) -> None:
            self.name = name

    names = module._file_names([Named("/etc/a.jpg"), Named("../../b.jpg"), Named("c")], 1)  # type: ignore[list-item]
    assert names == [["etc/a.png"], ["b.png"], ["c.png"]]


def test_the_command_takes_the_options_of_the_model(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows its progress, and what is no option of the model is refused."""
    folder, recipe = published(tmp_path / "domain", "domain")
    monkeypatch.setattr("sparring.recipes.find_recipe", lambda name: recipe)
    words = ["apply", str(folder), str(photos / "a.jpg"), str(photos / "b.png"), "--recipe", "toys/painter"]
    main([*words, "--to", "a", "--strength", "0.5", "--seed", "3", "--count", "2", "--out", str(tmp_path / "out")])
    assert "Wrote 4 samples to" in capsys.readouterr().out
    applied((folder, recipe), photos / "a.jpg", tmp_path / "same", to="a", strength=0.5, seed=3, count=2)
    assert (tmp_path / "out" / "a-1.png").read_bytes() == (tmp_path / "same" / "a-1.png").read_bytes()
    with pytest.raises(SystemExit):
        main([*words, "--mask", "m.png", "--out", str(tmp_path / "other")])
    assert "--mask m.png" in capsys.readouterr().err


def test_the_model_card_shows_how_to_apply_it(painter: tuple[Path, Painter]) -> None:
    card = (painter[0] / "README.md").read_text()
    assert 'model.apply("inputs/", seed=0)' in card and "model.sample" not in card
    assert "* direction: A → B" in card


def test_progress_counts_inputs(painter: tuple[Path, Painter], photos: Path, tmp_path: Path) -> None:
    counted: list[tuple[str, int, int]] = []

    class Counting(Silent):  # type: ignore[misc]
        def count(self, what: str, done: int, total: int) -> None:
            counted.append((what, done, total))

    applied(painter, photos, tmp_path / "out", display=Counting())
    assert counted == [("applying", done, 4) for done in (1, 2, 3, 4)]
