"""What each measure is called, what it asks and what it means, for people."""

import itertools
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias, get_args

Better: TypeAlias = Literal["lower", "higher", "nearer to the floor"]
Question: TypeAlias = Literal["Valid?", "Good?", "Diverse?", "New?", "Useful?"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
"""In the order of the reports."""


class MetricInfo(NamedTuple):
    """A measure in words: its title, which way is better, one sentence on what it says, and what it asks."""

    title: str
    better: Better
    meaning: str
    question: Question = "Good?"


GLOSSARY: dict[str, MetricInfo] = {
    "frechet": MetricInfo(
        "Fréchet distance",
        "lower",
        "How far the cloud of generated features as a whole lies from the real one, in place and shape.",
    ),
    "kernel": MetricInfo(
        "kernel distance",
        "lower",
        "The same question by another way; 0 in the mean for equal data, so it may fall slightly below.",
    ),
    "frechet_at_infinity": MetricInfo(
        "FD at infinity",
        "lower",
        "The Fréchet distance extrapolated to infinitely many samples; 0 in the mean for equal data.",
    ),
    "sliced_wasserstein": MetricInfo(
        "sliced Wasserstein",
        "lower",
        "How far features must be moved to become the real ones, in the mean over directions.",
    ),
    "precision": MetricInfo("precision", "higher", "The share of generated samples that look like real ones."),
    "recall": MetricInfo("recall", "higher", "The share of real samples that could have been generated.", "Diverse?"),
    "density": MetricInfo(
        "density", "higher", "How thickly real samples lie around the generated ones; 1 for real data."
    ),
    "coverage": MetricInfo("coverage", "higher", "The share of real samples with a generated one nearby.", "Diverse?"),
    "vendi": MetricInfo(
        "Vendi score",
        "nearer to the floor",
        "The effective number of different samples; real ones have as many as the floor says.",
        "Diverse?",
    ),
    "classifier_test": MetricInfo(
        "classifier test",
        "lower",
        "How often a small network tells generated from real samples it has not seen; 0.5 is chance.",
    ),
    "nearest_neighbour_test": MetricInfo(
        "1-NN test",
        "lower",
        "How often the nearest neighbour is of the same kind; 0.5 for equal data, far below it for copies.",
    ),
    "agreement": MetricInfo(
        "agreement",
        "higher",
        "The share of samples that a classifier of real data takes for the class asked for.",
        "Valid?",
    ),
    "authenticity": MetricInfo(
        "authenticity",
        "nearer to the floor",
        "The share of samples that are farther from the nearest training sample than that is from its neighbours.",
        "New?",
    ),
    "c_t": MetricInfo(
        "C_T",
        "nearer to the floor",
        "By how many deviations samples lie farther from training samples than held-out ones; below -3 too close.",
        "New?",
    ),
    "trained_on_samples": MetricInfo(
        "learnt from",
        "higher",
        "How well a classifier that saw generated samples alone knows real ones; the floor saw equally many real ones.",
        "Useful?",
    ),
    "trained_on_both": MetricInfo(
        "learnt from both",
        "higher",
        "The same of one that saw them beside all real training samples; the floor saw the real ones alone.",
        "Useful?",
    ),
    "class_coverage": MetricInfo(
        "worst coverage",
        "higher",
        "The coverage of the class that is covered worst.",
        "Diverse?",
    ),
    "similarity": MetricInfo(
        "MS-SSIM",
        "nearer to the floor",
        "How alike two samples of one class look in the mean; 1 where they are all the same.",
        "Diverse?",
    ),
    "spectrum": MetricInfo(
        "spectrum distance",
        "lower",
        "How far fine and coarse detail differ in strength, in decades; large for checkerboards and for blur.",
    ),
    "inception_score": MetricInfo(
        "inception score",
        "nearer to the floor",
        "How surely the network sees a class in each sample, and how many in all: 1 to the number of classes.",
    ),
    "path_length": MetricInfo(
        "path length",
        "lower",
        "How much samples change along paths between noise, in the features named first; only for equal features.",
    ),
    "l1": MetricInfo(
        "L1 to the truth",
        "lower",
        "Mean absolute difference from the samples that really belonged to the conditions.",
        "Valid?",
    ),
    "psnr": MetricInfo("PSNR", "higher", "The same as a signal-to-noise ratio in decibels.", "Valid?"),
    "ssim": MetricInfo("SSIM", "higher", "Structural similarity to the same true images; 1 for equal ones.", "Valid?"),
    "likelihood": MetricInfo(
        "log-likelihood",
        "higher",
        "Mean log p(x) of held-out samples in nats; the floor is that of training samples: far above it, overfitted.",
    ),
    "accuracy": MetricInfo(
        "accuracy",
        "higher",
        "The share of held-out samples that the model itself classifies rightly; the floor is of training samples.",
        "Useful?",
    ),
    "stacked_modes": MetricInfo(
        "modes of 1,000", "higher", "How many of the 1,000 stacks of digits are seen.", "Diverse?"
    ),
    "stacked_kl": MetricInfo(
        "KL of modes",
        "lower",
        "How far the shares of the 1,000 stacks are from those of the real ones, in nats.",
        "Diverse?",
    ),
    "classes": MetricInfo(
        "classes",
        "higher",
        "How many classes are found among the samples, each in a tenth of its real share at least.",
        "Diverse?",
    ),
    "modes": MetricInfo(
        "modes", "higher", "How many clusters of the data have a generated point within 3 σ.", "Diverse?"
    ),
    "quality": MetricInfo("quality", "higher", "The share of generated points within 3 σ of a cluster.", "Valid?"),
    "reverse_kl": MetricInfo(
        "reverse KL",
        "lower",
        "How unevenly the good points spread over the clusters, in nats; 0 is even.",
        "Diverse?",
    ),
}


def metric_info(name: str) -> MetricInfo:
    """The words for a measure; its own name where there are none."""
    return GLOSSARY.get(name, MetricInfo(name.replace("_", " "), "higher", ""))


def titled(name: str, extractor: str) -> str:
    """Its title; only in the features of the Inception network it has the names that the literature uses."""
    known = {"frechet": "FID", "kernel": "KID", "frechet_at_infinity": "FID at infinity"}
    return known.get(name, metric_info(name).title) if extractor.startswith("inception") else metric_info(name).title


def number(value: float | None) -> str:
    """Four significant figures, whole numbers as they are, and a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.4g}"


def interval(value: float | None, plus_minus: float | None) -> str:
    """The number with half the width of its interval, which has two significant figures."""
    return number(value) + (f" ± {plus_minus:.2g}" if value is not None and plus_minus is not None else "")


def better(way: Better, apart: bool | None) -> str:
    """Which way is better, and whether value and floor can be told apart."""
    return f"{way} is better" + (", not told apart" if apart is False else "")


def by_question(names: Iterable[str]) -> list[tuple[str, str]]:
    """(question, name) in the order of the questions; the question is empty where it is that of the row before."""
    ordered = sorted(names, key=lambda name: QUESTIONS.index(metric_info(name).question))
    questions = ["", *(metric_info(name).question for name in ordered)]
    shown = ["" if question == before else question for before, question in itertools.pairwise(questions)]
    return list(zip(shown, ordered, strict=True))
