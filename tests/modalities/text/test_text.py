"""Texts from files to samples: coding, prompts, files, figures, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparring
from sparring.api.sample import sample
from sparring.data.reading import reading
from sparring.data.sequences.coding import coding_of
from sparring.errors import SparringError, SparringWarning
from sparring.modalities import modality, modality_of
from sparring.modalities.text.survey import survey_texts
from sparring.runs.display import Silent
from sparring.tokens import END

SMALL: dict[str, Any] = {"recipe": "text/lstm", "width": 16, "embedding": 8, "batch": 16, "display": Silent()}
WORDS = ["red", "blue", "green", "old"]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"the {WORDS[one]} {WORDS[two]} house\n" for one, two in random.integers(0, 4, (200, 2))))
    return path


def test_units_follow_the_texts(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("anna\nbob\ncarla\n")
    (tmp_path / "code.txt").write_text("床前明月光，疑是地上霜。举头望明月，低头思故乡。" * 3 + "\n春眠不觉晓\n")
    found = [survey_texts(str(tmp_path / name), reading(), None) for name in ("names.txt", "code.txt")]
    assert [coding_of(one.facts).tokeniser.kind for one in found] == ["characters", "characters"]
    longer = tmp_path / "long.txt"
    longer.write_text(
        "a line of words that is longer than thirty-two characters\n" * 2 + "another such line of words here\n"
    )
    assert coding_of(survey_texts(str(longer), reading(), None).facts).tokeniser.kind == "words"
    assert coding_of(survey_texts(str(lines), reading(tokens="bytes"), None).facts).tokeniser.size == 258
    assert modality_of(str(lines)).name == "text"


def test_equal_texts_are_on_one_side(lines: Path) -> None:
    survey = survey_texts(str(lines), reading(), None)
    split = survey.prepare(modality("text").view_of(survey.facts, survey.facts))
    sides = [{row.tobytes() for row in data.samples} for data in (split.train, split.held_out)]
    assert not sides[0] & sides[1] and sides[0] and sides[1]


def test_long_lines_are_cut_and_files_are_pieces(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("abcdefgh\nxyz\n")
    survey = survey_texts(str(tmp_path / "long.txt"), reading(window=4), None)
    assert survey.facts.shape == (4,) and any("the rest is cut off" in one for one in survey.facts.remarks)
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "a.py").write_text("if x:\n    y = 1\n")
    (folder / "b.py").write_text("y")
    pieces = survey_texts(str(folder), reading(window=6), None)
    decode = coding_of(pieces.facts).tokeniser.decode
    assert "".join(decode(row) for row in pieces.rows.tokens[:3].tolist()) == "if x:\n    y = 1\n"
    assert pieces.facts.count == 4 and coding_of(pieces.facts).suffix == ".py"


def test_texts_of_one_length_have_no_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc\nbca\n")
    survey = survey_texts(str(tmp_path / "a.txt"), reading(), None)
    assert not coding_of(survey.facts).has_end and not (survey.rows.tokens == END).any()


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("same\n" * 60, {}, "one distinct text"),
        ("a\nb\n", {"tokens": "letters"}, "the tokens|tokens of"),
        ("a\nb\n", {"columns": "x=number"}, "the column 'x' of the kind 'number'"),
    ],
)
def test_what_cannot_be_learned_is_refused(content: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(SparringError, match=said):
        sparring.train(tmp_path / "a.txt", out=tmp_path / "run", samples=32, **SMALL, **options)
    assert not (tmp_path / "run").exists()


def test_a_model_of_text_writes_what_it_was_asked_for(lines: Path, tmp_path: Path) -> None:
    run = sparring.train(lines, out=tmp_path / "run", samples=6000, learning_rate=0.02, judge="none", **SMALL)
    model = sparring.load(run.folder)
    texts = model.modality.decode(model.sample(40, prefix="the old"), model.facts)
    assert all(text.startswith("the old") for text in texts)
    assert sum(text.split()[-1] == "house" for text in texts) > 30
    greedy = model.modality.decode(model.sample(5, temperature=0), model.facts)
    assert len(set(greedy)) == 1
    sample(run.folder, count=5, out=tmp_path / "made", display=Silent())
    assert len((tmp_path / "made" / "text-000000.txt").read_text().splitlines()) == 5
    assert list(model.frame(3).columns) == ["text"]
    for options, said in (
        ({"prefix": "the zebra"}, "that the model does not know"),
        ({"prefix": "the old old house " * 9}, "a prefix of"),
        ({"temperature": -1}, "temperature=-1"),
        ({"label": "x"}, "a model of texts with classes"),
    ):
        with pytest.raises(SparringError, match=said):
            model.sample(2, **options)


def test_texts_of_another_tool_are_encoded_as_the_training_texts(lines: Path, tmp_path: Path) -> None:
    run = sparring.train(lines, out=tmp_path / "run", samples=640, judge="none", **SMALL)
    (tmp_path / "other.txt").write_text("the red zebra house\n" * 20 + "the old blue house\n" * 20)
    with pytest.warns(SparringWarning, match="not in the vocabulary"):
        found = sparring.evaluate(tmp_path / "other.txt", lines, count=15, display=Silent())
    assert {"bleu_4", "self_bleu_4", "novel"} <= found.metrics.keys()
    assert sparring.evaluate(run.folder, count=15, display=Silent()).scores[0].extractor == "n-grams"
    assert "the" in run.report.read_text()


def test_classes_are_asked_for_by_name(tmp_path: Path) -> None:
    for kind, letter in (("ham", "a"), ("spam", "b")):
        for number in range(30):
            path = tmp_path / "mail" / kind / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(letter * (2 + number % 5))
    run = sparring.train(
        tmp_path / "mail", out=tmp_path / "run", samples=4000, learning_rate=0.02, judge="none", **SMALL
    )
    model = sparring.load(run.folder)
    for kind, letter in (("ham", "a"), ("spam", "b")):
        made = "".join(model.modality.decode(model.sample(20, label=kind), model.facts))
        assert made.count(letter) > 0.95 * len(made)
