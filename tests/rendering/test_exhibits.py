"""Exhibits as files."""

import io
import wave
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring.rendering.exhibits import Table, Text, picture_of, sound_of, write_exhibits


def test_each_kind_of_exhibit_has_its_file_format(tmp_path: Path) -> None:
    picture = picture_of(Image.new("L", (3, 2), 7))
    sound = sound_of(torch.tensor([0.0, 0.5, -2.0, float("nan")]), 8000)
    text = Text(("a", "好"))
    table = Table(("name", "age"), (("x, y", "3"),))
    paths = write_exhibits([picture, sound, text, table], tmp_path / "shown.000064")
    assert [path.name for path in paths] == [f"shown.000064{end}" for end in (".png", ".wav", ".txt", ".csv")]
    with Image.open(paths[0]) as image:
        assert image.size == (3, 2)
    assert paths[2].read_text(encoding="utf-8") == "a\n好\n"
    assert paths[3].read_text() == 'name,age\n"x, y",3\n'


def test_waveform_is_clipped_and_nan_is_silence() -> None:
    sound = sound_of(torch.tensor([0.0, 0.5, -2.0, float("nan")]), 8000)
    with wave.open(io.BytesIO(sound.file)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 16384, -32767, 0]


def test_further_exhibits_of_a_kind_are_numbered(tmp_path: Path) -> None:
    paths = write_exhibits([Text(("a",)), Text(("b",))], tmp_path / "shown")
    assert [path.name for path in paths] == ["shown.txt", "shown-2.txt"]


def test_texts_of_several_lines_are_told_apart_in_their_file() -> None:
    for lines in (("a", "", "b"), ("if x:\n\n    y", "z")):
        assert Text.of_file(Text(lines).file).lines == lines
