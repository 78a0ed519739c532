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


def test_long_lines_are_cut_and_files_are_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.data.sequences.rows.ROWS_AT_ONCE", 3)
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


def test_one_text_that_is_far_longer_than_others_does_not_lengthen_all(lines: Path) -> None:
    with lines.open("a") as file:
        file.write(f"{'the red old house ' * 100_000}\n")
    facts = survey_texts(str(lines), reading(tokens="words"), None).facts
    assert facts.shape == (16,)
    assert facts.remarks == (
        "Cut 1 text after 1,048,576 characters.",
        "1 of 201 texts is longer than 16 tokens: the rest is cut off. window= gives another number.",
    )


def test_many_unknown_words_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{one} {one}x\n" for one in range(12_000)))
    facts = survey_texts(str(tmp_path / "a.txt"), reading(tokens="words"), None).facts
    assert any("not learned" in remark and "tokens='characters'" in remark for remark in facts.remarks)


def test_tunes_are_characters_and_whole(tmp_path: Path) -> None:
    tune = f"X:{{}}\nT:A tune with a title\nK:A\n{'ABc|' * 80}\n"
    (tmp_path / "a.abc").write_text("\n".join(tune.format(number) for number in range(30)))
    facts = survey_texts(str(tmp_path / "a.abc"), reading(), None).facts
    coding = coding_of(facts)
    assert facts.count == 30 and coding.tokeniser.kind == "characters" and not coding.lines and coding.suffix == ".abc"
    assert facts.details["samples"].startswith("30 texts of at most 35")


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
    assert len(model.sample(2, prefix="")) == 2
    greedy = model.modality.decode(model.sample(5, temperature=0), model.facts)
    assert len(set(greedy)) == 1
    sample(run.folder, count=5, out=tmp_path / "made", display=Silent())
    assert len((tmp_path / "made" / "text-000000.txt").read_text().splitlines()) == 5
    assert list(model.frame(3).columns) == ["text"]
    for options, said in (
        ({"prefix": "the zebra"}, "with 'a', 'z', which the model does not know"),
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


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    kinds = {"ham": "abc", "spam": "cde"}
    path = tmp_path / "mails.csv"
    rows = [f"{''.join(random.choice([*kinds[kind]], 6))},{kind}\n" for kind in ("ham", "spam", "ham") * 100]
    path.write_text(f"text,kind\n{''.join(rows)}")
    return path


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("text/lstm", {"width": 16}),
        ("text/seqgan", {"width": 16, "filters": 0.1, "rollouts": 2, "discriminator_turns": 1}),
        ("text/relgan", {"head_size": 16, "filters": 8, "representations": 4, "discriminator_turns": 1}),
    ],
)
def test_classes_of_a_table_are_asked_for_by_name(
    recipe: str, options: dict[str, Any], mails: Path, tmp_path: Path
) -> None:
    given: dict[str, Any] = {**SMALL, "recipe": recipe, **options}
    given = {name: value for name, value in given.items() if name != "width" or "width" in options}
    rate = {"likelihood_rate" if recipe == "text/relgan" else "learning_rate": 0.02}
    run = sparring.train(mails, out=tmp_path / "run", labels="kind", samples=4800, judge="none", **given, **rate)
    model = sparring.load(run.folder)
    for kind, letters in (("ham", "ab"), ("spam", "de")):
        made = "".join(model.modality.decode(model.sample(40, label=kind), model.facts)).replace("c", "")
        assert sum(one in letters for one in made) > 0.9 * len(made)
