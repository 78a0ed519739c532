"""What each measure is called and what it means, for people."""

from typing import Literal, NamedTuple


class Words(NamedTuple):
    """A measure in words: its title, which way is better, and one sentence on what it says."""

    title: str
    better: Literal["lower", "higher"]
    meaning: str


WORDS: dict[str, Words] = {
    "frechet": Words(
        "Fréchet distance",
        "lower",
        "How far the cloud of generated features as a whole lies from the real one, in place and shape.",
    ),
    "kernel": Words(
        "kernel distance",
        "lower",
        "The same question by another way; 0 in the mean for equal data, so it may fall slightly below.",
    ),
    "precision": Words("precision", "higher", "The share of generated samples that look like real ones."),
    "recall": Words("recall", "higher", "The share of real samples that could have been generated: variety."),
    "density": Words("density", "higher", "How thickly real samples lie around the generated ones; 1 for real data."),
    "coverage": Words("coverage", "higher", "The share of real samples with a generated one nearby: variety."),
    "agreement": Words(
        "agreement",
        "higher",
        "The share of samples that a classifier of real data takes for the class asked for.",
    ),
    "classes": Words("classes", "higher", "How many classes are found among the samples."),
    "modes": Words("modes", "higher", "How many clusters of the data have a generated point within 3 σ."),
    "quality": Words("quality", "higher", "The share of generated points within 3 σ of a cluster."),
    "reverse_kl": Words(
        "reverse KL",
        "lower",
        "How unevenly the good points spread over the clusters, in nats; 0 is even.",
    ),
}


def words(name: str) -> Words:
    """The words for a measure; its own name where there are none."""
    return WORDS.get(name, Words(name.replace("_", " "), "higher", ""))


def number(value: float | None) -> str:
    """Four significant figures, whole numbers as they are, and a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.4g}"
