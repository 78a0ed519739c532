"""The verdict, on figures of real runs: of untrained, blurry, collapsed and good models, tables, points, answers."""

from typing import Any

import pytest

from sparring.evaluation.memorisation import Memorisation
from sparring.evaluation.result import Evaluation
from sparring.evaluation.scores import Score, Scores
from sparring.evaluation.verdict import HEADLINES, RECOGNISABLE, Level, level_of, verdict_of

FIGURES: dict[str, dict[str, tuple[float, float, float | None]]] = {
    "untrained": {"frechet": (123.8, 0.635, 1.5), "precision": (0, 0.939, 0), "coverage": (0, 0.96, 0)},
    "blobs": {"frechet": (71.3, 0.12, 1.0), "precision": (0.93, 0.94, 0.02), "coverage": (0.08, 0.96, 0.01)},
    "blurry": {"frechet": (2.08, 0.64, 0.3), "precision": (0.96, 0.94, 0.03), "recall": (0.11, 0.93, 0.06)},
    "short run": {"frechet": (1.12, 0.64, 0.5), "precision": (0.546, 0.939, 0.06), "coverage": (0.64, 0.96, 0.05)},
    "long run": {"frechet": (0.7, 1.2, 0.8), "precision": (0.82, 0.918, 0.06), "coverage": (0.93, 0.97, 0.03)},
    "real": {"frechet": (0.61, 0.64, 0.3), "precision": (0.94, 0.93, 0.04), "coverage": (0.95, 0.96, 0.02)},
    "points": {"frechet": (0.6255, 0.0004, 0.03), "quality": (0.0008, 0.99, 0.01)},
    "molecules": {"frechet": (2, 1.2, 0.3), "precision": (0.9, 0.95, 0.03), "validity": (0.3, 1, 0.03)},
    "table": {"frechet": (1.2, 0.29, 0.1), "shapes": (0.86, 0.978, 0.01), "coverage": (0.7, 0.97, 0.02)},
}
LEVELS = {
    "untrained": Level.UNLIKE,
    "blobs": Level.UNLIKE,
    "blurry": Level.DISTINGUISHABLE,
    "short run": Level.DISTINGUISHABLE,
    "long run": Level.DISTINGUISHABLE,
    "real": Level.SAME,
    "points": Level.UNLIKE,
    "molecules": Level.ROUGH,
    "table": Level.DISTINGUISHABLE,
}


def evaluation(figures: dict[str, tuple[float, float, float | None]], count: int = 900, **fields: Any) -> Evaluation:
    """Return an evaluation with figures as (value, real value, half the interval around their difference)."""
    metrics = {
        name: Score(
            value=value,
            floor=real,
            better="lower" if name == "frechet" else "higher",
            plus_minus=around,
            significant=None if around is None else abs(value - real) > around,
        )
        for name, (value, real, around) in figures.items()
    }
    repeats = 0 if any(around is None for *_, around in figures.values()) else 8
    scores = Scores(extractor="own", count=count, real_count=count, repeats=repeats, protocol="", metrics=metrics)
    values = {"subject": "model", "data": "data", "fingerprint": "0", "count": count, "seed": 0, "scores": (scores,)}
    return Evaluation(**(values | fields))


def without_intervals(name: str) -> dict[str, tuple[float, float, float | None]]:
    return {metric: (value, real, None) for metric, (value, real, _) in FIGURES[name].items()}


@pytest.mark.parametrize("name", FIGURES)
def test_likeness_is_that_of_the_worst_figure(name: str) -> None:
    found = evaluation(FIGURES[name])
    assert level_of(found) == LEVELS[name]
    assert found.verdict[0].replace("clearly ", "").startswith(HEADLINES[LEVELS[name]])
    assert found.verdict == verdict_of(found)


def test_what_is_valid_different_and_new_is_said_together() -> None:
    shares = {"uniqueness": (0.104, 1, 0.01), "novelty": (0.9, 1, None)}
    found = evaluation(FIGURES["molecules"] | shares).verdict
    said = "Of 900 samples 30 % are valid; of these 10.4 % are different and 90 % are not in the training data."
    assert "validity 0.3, real against real 1" in found[0] and found[1] == said
    assert any(one.startswith("Not diverse: 10 % of the real variety (uniqueness)") for one in found)
    assert evaluation({"validity": (0.95, 1, None)}).verdict[1] == "Of 900 samples 95 % are valid."


def test_a_high_precision_alone_is_never_called_good() -> None:
    """Blurry samples lie among real ones: their precision is that of real samples."""
    blurry, blobs = (verdict_of(evaluation(FIGURES[name])) for name in ("blurry", "blobs"))
    assert "but distinguishable" in blurry[0] and "(Fréchet distance 2.08, real against real 0.64)" in blurry[0]
    assert blurry[1] == "Not diverse: 12 % of the real variety (recall)."
    assert "nothing like real ones" in blobs[0] and not any("iverse" in sentence for sentence in blobs)


def test_a_headline_claims_what_its_interval_proves() -> None:
    """Samples of one model with precision .76 and .81 are distinguishable; what is better is no evidence."""

    def headline(value: float) -> str:
        return verdict_of(evaluation({"precision": (value, 0.94, 0.05)}))[0].partition(" (")[0]

    said = HEADLINES[Level.DISTINGUISHABLE]
    assert headline(0.76) == headline(0.81) == said
    assert headline(0.72) == said.replace("but", "but clearly") and headline(0.87) == HEADLINES[Level.CLOSE]
    better = verdict_of(evaluation({"agreement": (0.999, 0.96, 0.0), "frechet": (1.9, 1.06, 0.25)}))
    assert "(Fréchet distance 1.9, real against real 1.06)" in better[0]


def test_samples_that_are_near_no_real_one_are_never_praised() -> None:
    """Grey blobs beside pictures of noise, whose other figures are better than real or not worse."""
    figures = {"agreement": (0.0625, 0.0, 0.01), "precision": (0.9, 0.8, 0.05), "recall": (0.0, 0.8, 0.05)}
    assert level_of(evaluation(figures)) == Level.DISTINGUISHABLE
    assert level_of(evaluation(figures | {"coverage": (0.0, 0.9, 0.05)})) == Level.UNLIKE


def test_samples_are_recognisable_where_a_classifier_finds_what_was_asked_for() -> None:
    figures = FIGURES["short run"]
    assert verdict_of(evaluation(figures | {"agreement": (0.98, 0.99, 0.02)}))[0].startswith(
        RECOGNISABLE.replace("but", "but clearly")
    )
    assert verdict_of(evaluation(figures | {"agreement": (0.6, 0.99, 0.02)}))[0].startswith("Similar to real ones, but")


def test_few_samples_decide_only_what_is_far_from_real() -> None:
    hopeless = verdict_of(evaluation(without_intervals("untrained"), 30))
    assert "nothing like real ones, as far as 30 samples can tell" in hopeless[0]
    for name in ("short run", "long run", "real"):
        assert verdict_of(evaluation(without_intervals(name), 30))[0].startswith("Too few samples or too little time")
    assert "with 75 of each; more samples could show one." in verdict_of(evaluation(FIGURES["real"], 75))[0]
    assert "more samples" not in verdict_of(evaluation(FIGURES["real"], 2000))[0]


def test_the_distance_is_measured_against_its_fall_with_the_number_of_samples() -> None:
    """The real value of 10,000 samples is a tenth of that of 1,000; the samples are as good in both cases."""
    assert level_of(evaluation({"frechet": (3.0, 0.5, 0.1)}, 1000)) == level_of(
        evaluation({"frechet": (2.55, 0.05, 0.1)}, 10_000)
    )


def test_missing_classes_and_a_good_variety_are_said() -> None:
    figures = FIGURES["long run"] | {"classes": (7, 10, 0.0)}
    assert verdict_of(evaluation(figures))[1:] == (
        "7 of 10 classes are generated.",
        "Less diverse than real ones: 70 % of the real variety (classes).",
    )
    assert verdict_of(evaluation(FIGURES["long run"]))[1] == "Diverse: 96 % of the real variety (coverage)."


def test_answers_are_compared_with_those_that_need_no_model() -> None:
    rows = {"this": {"l1": 0.2}, "input as output": {"l1": 0.3}, "nearest": {"l1": 0.5}, "truth": {"l1": 0.0}}
    better = verdict_of(evaluation(FIGURES["short run"], baselines=rows))
    sentence = "Closer to the true answers than the best answer that needs no model (L1 to the truth 0.2; "
    assert f"{sentence}input as output 0.3)." in better
    worse = verdict_of(evaluation(FIGURES["short run"], baselines=rows | {"this": {"l1": 0.4}}))
    assert any(sentence.startswith("No closer to the true answers") for sentence in worse)


def test_no_verdict_without_real_against_real() -> None:
    (sentence,) = verdict_of(evaluation(FIGURES["real"], protocol="standard"))
    assert "no verdict" in sentence


def memorisation(**fields: Any) -> Memorisation:
    values: dict[str, Any] = {
        **{"median": 2.2, "median_held_out": 2.0, "closest": 1.0, "share": 0.01, "copies": 0, "expected_copies": 0.0},
        **{"count": 1000, "count_held_out": 200, "c_t": 0.0, "authenticity": 0.5, "authenticity_held_out": 0.5},
        **{"copies_chance": 1.0, "pairs": ()},
    }
    return Memorisation(**(values | fields))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "No training sample was copied."),
        ({"data": "photos"}, "No sample of photos was copied."),
        ({"copies": 11}, "11 generated samples of 1,000 are as close to training samples as copies, no more than "),
        ({"copies": 1}, "1 generated sample of 1,000 is as close to training samples as copies, no more than chance "),
        ({"copies": 11, "copies_chance": 0.0}, "11 of 1,000 generated samples are nearly copies of training samples."),
        (
            {"copies": 2, "copies_chance": 0.0, "data": "photos"},
            "2 of 1,000 generated samples are nearly copies of sam",
        ),
        ({"count_held_out": 60}, "Not known whether training samples were copied: the check is inconclusive below 100"),
    ],
)
def test_copies_are_denied_only_of_what_was_compared(fields: dict[str, Any], sentence: str) -> None:
    found = memorisation(**fields)
    assert found.answer.startswith(sentence) and found.verdict.startswith(found.answer)
    assert evaluation(FIGURES["real"], memorisation=found).verdict[-1] == found.answer
