"""Nearest texts: those with the most n-grams in common."""

from pathlib import Path

import numpy as np
import torch

from sparring.data.reading import reading
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.modalities.text import nearest as searched
from sparring.modalities.text.nearest import nearest
from sparring.modalities.text.render import beside_nearest, shown
from sparring.modalities.text.survey import survey_texts


def test_the_nearest_text_is_that_with_the_most_in_common(tmp_path: Path, monkeypatch) -> None:
    lines = ["the old red house", "a blue bird sings", "the old green house", "the old red house", "no"]
    (tmp_path / "a.txt").write_text("".join(f"{line}\n" for line in lines))
    survey = survey_texts(str(tmp_path / "a.txt"), reading(tokens="words"), None)
    data = survey.whole(modality("text").view_of(survey.facts, survey.facts))
    texts = data.batch(slice(None)).real
    for tokens_at_once in (2**22, 8):  # All texts at once, and two at a time.
        monkeypatch.setattr(searched, "TOKENS_AT_ONCE", tokens_at_once)
        found = nearest(texts, data)
        assert found.distances.tolist() == [0.0] * 5 and found.rows.tolist() == [0, 1, 2, 0, 4]
        other = nearest(texts, data, own=torch.arange(5))
        assert other.rows[:4].tolist() == [3, 0, 0, 0] and other.distances[0] == 0
        assert 0 < other.distances[2] < 1 and other.distances[4] == 1
    note = beside_nearest(Batch(texts[2:3]), texts[:1], other.distances[2:3], survey.facts)
    assert note.lines == (lines[2],) and note.notes[0].endswith(f"in common: {lines[0]}")


def test_the_first_texts_of_each_class_are_shown_in_order(tmp_path: Path) -> None:
    rows = "".join(f"text {number},{'abc'[number % 3]}\n" for number in range(90))
    (tmp_path / "a.csv").write_text(f"text,kind\n{rows}")
    facts = survey_texts(str(tmp_path / "a.csv"), reading(labels="kind"), None).facts
    survey = survey_texts(str(tmp_path / "a.csv"), reading(labels="kind"), None)
    batch = survey.whole(modality("text").view_of(facts, facts)).batch(np.arange(89, -1, -1))
    exhibit = shown(batch, facts)
    assert exhibit.lines == tuple(f"text {number}" for number in range(89, 65, -1))
    assert exhibit.notes[:3] == ("c", "b", "a") and len(exhibit.lines) == 24
