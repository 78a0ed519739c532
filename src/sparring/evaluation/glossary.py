"""Metrics in words: title, direction and meaning of each, and how values are printed."""

import itertools
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

Better: TypeAlias = Literal["lower", "higher", "nearer to the floor"]
Question: TypeAlias = Literal["Valid?", "Good?", "Diverse?", "New?", "Useful?"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
"""In the order of the reports."""
NO_DIFFERENCE: Final = "no significant difference"
INCONCLUSIVE: Final = "inconclusive"
"""Verdict where there is no interval to compare a difference with."""
FEATURES = {
    "classifier": "in the features of a classifier of the real samples",
    "self-supervised": "in the features of a network trained on the real samples",
    "pixels": "in pixels",
    "coordinates": "in coordinates",
    "n-grams": "in the features of n-grams",
    "columns": "in the values of columns",
    "descriptors": "in descriptors and fingerprints of molecules",
    "series": "in summaries of series",
}
"""Extractor, without the digits of its weights → its features in words."""
MAX_LINE = 100
"""Characters in a line on the terminal."""


class MetricInfo(NamedTuple):
    """A metric in words.

    Args:
        title: its name in tables.
        better: which values are better.
        meaning: one sentence.
        question: which question about the samples it answers.
    """

    title: str
    better: Better
    meaning: str
    question: Question = "Good?"


REAL = "real"
"""Heading of the values of real samples against other real ones."""
DEFAULT = {"frechet", "precision", "recall", "coverage", "agreement", "copies"}
"""The verdict that is shown by default."""
ON_REQUEST = {
    *("l1", "cycle_error", "answer_diversity", "trained_on_samples", "trained_on_both"),
    *("shapes", "trends", "missing_error", "rare_coverage"),
    *("modes", "quality"),
    *("bleu_4", "self_bleu_4", "novel", "corpus_bleu", "exact"),
    *("validity", "uniqueness", "novelty", "internal_diversity"),
    *("marginals", "tail_error", "autocorrelation_error", "cross_correlation_error", "spectrum_error", "length_error"),
}
"""Shown beside it where they are computed: with inputs, with --useful, of tables, of series, of known clusters."""
GLOSSARY: dict[str, MetricInfo] = {
    "frechet": MetricInfo(
        "Fréchet distance", "lower", "Distance between Gaussians fitted to generated and to real features."
    ),
    "kernel": MetricInfo(
        "kernel distance", "lower", "Squared maximum mean discrepancy; 0 in expectation for equal data, may be below."
    ),
    "frechet_at_infinity": MetricInfo(
        "FD at infinity",
        "lower",
        "Fréchet distance extrapolated to infinitely many samples; 0 in expectation for equal data.",
    ),
    "sliced_wasserstein": MetricInfo(
        "sliced Wasserstein", "lower", "Transport distance, averaged over random directions."
    ),
    "precision": MetricInfo(
        "precision", "higher", "Share of generated samples among real ones in the features; high for blurry ones, too."
    ),
    "recall": MetricInfo("recall", "higher", "Share of real samples that the model could generate.", "Diverse?"),
    "density": MetricInfo("density", "higher", "Density of real samples around generated ones; 1 for real data."),
    "coverage": MetricInfo("coverage", "higher", "Share of real samples that have a generated one nearby.", "Diverse?"),
    "vendi": MetricInfo("Vendi score", "nearer to the floor", "Effective number of different samples.", "Diverse?"),
    "classifier_test": MetricInfo(
        "classifier test", "lower", "Accuracy of a small network that separates generated from real; 0.5 is chance."
    ),
    "nearest_neighbour_test": MetricInfo(
        "1-NN test",
        "lower",
        "How often the nearest neighbour is of the same kind; 0.5 is chance, copies are far below.",
    ),
    "agreement": MetricInfo(
        "agreement", "higher", "Share of samples that a classifier of real data assigns to the given class.", "Valid?"
    ),
    "copies": MetricInfo("copies", "lower", "Generated samples that are nearly copies of training samples.", "New?"),
    "authenticity": MetricInfo(
        "authenticity",
        "nearer to the floor",
        "Share of samples farther from the nearest training sample than that one is from its own neighbour.",
        "New?",
    ),
    "c_t": MetricInfo(
        "C_T",
        "nearer to the floor",
        "z-score of the distances to training samples against those of held-out ones; below -3: too close.",
        "New?",
    ),
    "trained_on_samples": MetricInfo(
        "TSTR accuracy",
        "higher",
        "Train on synthetic, test on real: accuracy of a classifier; real: trained on as many real samples.",
        "Useful?",
    ),
    "trained_on_both": MetricInfo(
        "TSTR with real",
        "higher",
        "The same, trained on synthetic and real samples; real: trained on the real ones alone.",
        "Useful?",
    ),
    **{
        f"bleu_{size}": MetricInfo(
            f"BLEU-{size}", "higher", f"Share of the n-grams of up to {size} tokens that training texts have."
        )
        for size in range(2, 6)
    },
    **{
        f"self_bleu_{size}": MetricInfo(
            f"self-BLEU-{size}",
            "nearer to the floor",
            f"Share of the n-grams of up to {size} tokens that other generated texts have; 1 where all are equal.",
            "Diverse?",
        )
        for size in range(2, 6)
    },
    "distinct": MetricInfo("distinct", "nearer to the floor", "Share of different texts.", "Diverse?"),
    "novel": MetricInfo("novel", "nearer to the floor", "Share of texts that are no training text.", "New?"),
    "corpus_bleu": MetricInfo(
        "BLEU-4 to the truth",
        "higher",
        "Share of the n-grams of up to 4 tokens that the true texts of the same sources have; all texts together.",
        "Valid?",
    ),
    "exact": MetricInfo("exact", "higher", "Share of texts that are equal to the true ones.", "Valid?"),
    "validity": MetricInfo("validity", "higher", "Share of samples that are molecules.", "Valid?"),
    "uniqueness": MetricInfo(
        "uniqueness",
        "higher",
        "Number of different molecules, of the valid samples; falls with their number.",
        "Diverse?",
    ),
    "novelty": MetricInfo(
        "novelty",
        "nearer to the floor",
        "Share of the valid samples, repeated ones included, that are no training molecule.",
        "New?",
    ),
    "internal_diversity": MetricInfo(
        "internal diversity",
        "nearer to the floor",
        "Mean Tanimoto distance of two molecules by their Morgan fingerprints; 0 where all are equal.",
        "Diverse?",
    ),
    "qed_distance": MetricInfo(
        "QED distance", "lower", "Wasserstein distance of the distributions of drug-likeness, which is from 0 to 1."
    ),
    "logp_distance": MetricInfo("logP distance", "lower", "The same of logP, in its units."),
    "sa_distance": MetricInfo("SA distance", "lower", "The same of synthetic accessibility, which is from 1 to 10."),
    "weight_distance": MetricInfo("weight distance", "lower", "The same of molecular weight, in daltons."),
    "class_coverage": MetricInfo(
        "worst coverage", "higher", "Coverage of the class that is covered worst.", "Diverse?"
    ),
    "similarity": MetricInfo(
        "MS-SSIM",
        "nearer to the floor",
        "Mean similarity of two samples of one class; 1 where all samples are equal.",
        "Diverse?",
    ),
    "spectrum": MetricInfo(
        "spectrum distance",
        "lower",
        "Difference in strength of fine and coarse detail, in decades: checkerboards, blur.",
    ),
    "inception_score": MetricInfo(
        "inception score",
        "nearer to the floor",
        "Confidence and diversity of the classes that a classifier predicts, from 1 to their number.",
    ),
    "path_length": MetricInfo(
        "path length", "lower", "Change of samples along paths between latents; compares only in the same features."
    ),
    "l1": MetricInfo(
        "L1 to the truth",
        "lower",
        "Mean absolute difference from the true samples; only in the hole where there is one.",
        "Valid?",
    ),
    "psnr": MetricInfo(
        "PSNR",
        "higher",
        "Signal-to-noise ratio against the true samples, in dB; only in the hole where there is one.",
        "Valid?",
    ),
    "ssim": MetricInfo(
        "SSIM",
        "higher",
        "Structural similarity to the true images; 1 for equal ones; only in the hole where there is one.",
        "Valid?",
    ),
    "perceptual": MetricInfo(
        "perceptual distance", "lower", "Mean distance from the true samples in the features in use.", "Valid?"
    ),
    "label_accuracy": MetricInfo(
        "label accuracy",
        "higher",
        "Share of pixels whose label is right: as generated, or as a network trained on real pairs reads it off.",
        "Valid?",
    ),
    "input_distance": MetricInfo(
        "distance from input",
        "lower",
        "Mean distance from the inputs in the features in use: how much of each is kept; 0 for the inputs themselves.",
        "Valid?",
    ),
    "unchanged": MetricInfo(
        "unchanged",
        "nearer to the floor",
        "Share of pixels that are those of the input, within two steps of a byte; 1 if nothing was done.",
    ),
    "cycle_error": MetricInfo(
        "cycle error",
        "lower",
        "Mean absolute difference of held-out inputs and their way there and back; real: of training data.",
        "Valid?",
    ),
    "answer_diversity": MetricInfo(
        "answer diversity",
        "higher",
        "Mean absolute difference of two answers to one input by different latents; 0 if they are equal.",
        "Diverse?",
    ),
    "likelihood": MetricInfo(
        "log-likelihood",
        "higher",
        "Mean log p(x) of held-out samples in nats; real: of training samples; far below that: overfitting.",
    ),
    "accuracy": MetricInfo(
        "accuracy", "higher", "Accuracy of the model's own classifier; real: on training data.", "Useful?"
    ),
    "shapes": MetricInfo(
        "column shapes",
        "higher",
        "Mean agreement of the distributions of single columns; 1 where they are equal.",
    ),
    "trends": MetricInfo(
        "pair trends",
        "higher",
        "Mean agreement of correlations and joint shares of related columns; 1 where they are equal.",
    ),
    "missing_error": MetricInfo(
        "missing cells", "lower", "Largest difference of the share of missing values in a column.", "Valid?"
    ),
    "rare_coverage": MetricInfo(
        "rare categories", "higher", "Share that categories of at most 5 % reach, of their real one.", "Diverse?"
    ),
    "boosted_test": MetricInfo(
        "boosted trees test",
        "lower",
        "AUC of boosted trees that separate generated from real samples; 0.5 is chance, most are above 0.9.",
    ),
    "alpha_precision": MetricInfo(
        "α-precision", "higher", "Agreement of the generated rows with every central part of the real ones."
    ),
    "beta_recall": MetricInfo(
        "β-recall",
        "nearer to the floor",
        "Agreement of the real rows with every central part of the generated ones; above real: copies.",
        "Diverse?",
    ),
    "exact_copies": MetricInfo(
        "exact copies",
        "nearer to the floor",
        "Share of samples that are equal to a training sample in every value.",
        "New?",
    ),
    "near_copies": MetricInfo(
        "near copies",
        "nearer to the floor",
        "Share of samples as close to a training sample as the closest 1 % of held-out ones.",
        "New?",
    ),
    "closest_record": MetricInfo(
        "closest record",
        "nearer to the floor",
        "5th percentile of the distances to the closest training row; far below real: copies.",
        "New?",
    ),
    "closer_to_train": MetricInfo(
        "closer to training",
        "nearer to the floor",
        "Share of samples closer to a training sample than to a held-out one, for equal numbers; 0.5 is ideal.",
        "New?",
    ),
    "membership_attack": MetricInfo(
        "membership attack",
        "nearer to the floor",
        "AUC of an attack that tells training rows by their distance to generated ones; 0.5 is chance.",
        "New?",
    ),
    "target_f1": MetricInfo(
        "TSTR F1",
        "higher",
        "Train on synthetic, test on real: mean F1 of four learners of the target; real: trained on real rows.",
        "Useful?",
    ),
    "target_auc": MetricInfo("TSTR AUC", "higher", "The same: AUC of boosted trees.", "Useful?"),
    "target_r2": MetricInfo(
        "TSTR R²",
        "higher",
        "Train on synthetic, test on real: mean R² of four learners of the target; real: trained on real rows.",
        "Useful?",
    ),
    "target_r2_boosted": MetricInfo("TSTR R², trees", "higher", "The same: R² of boosted trees.", "Useful?"),
    "marginals": MetricInfo(
        "channel values",
        "higher",
        "Mean agreement of the distributions of single values of a channel; 1 where they are equal.",
    ),
    "tail_error": MetricInfo(
        "tails", "lower", "Mean difference of the quantiles at .01 and .99, of values and changes, in deviations."
    ),
    "autocorrelation_error": MetricInfo(
        "autocorrelation error",
        "lower",
        "Mean difference of the autocorrelations at lags 1 to 12, of values and changes.",
    ),
    "cross_correlation_error": MetricInfo(
        "cross-correlation error", "lower", "Mean difference of the correlations of channels, of values and changes."
    ),
    "spectrum_error": MetricInfo(
        "spectrum error", "lower", "Mean difference of the power at each frequency, in decades: noise, smoothing."
    ),
    "length_error": MetricInfo(
        "lengths", "lower", "Largest difference of the shares of series up to a length.", "Valid?"
    ),
    "context_frechet": MetricInfo(
        "context FID",
        "lower",
        "Fréchet distance in the features of a network trained on these series; compares only with the same network.",
    ),
    "closest_series": MetricInfo(
        "closest series",
        "nearer to the floor",
        "5th percentile of the distances to the closest training series; far below real: copies.",
        "New?",
    ),
    "discriminative": MetricInfo(
        "discriminative score",
        "lower",
        "|accuracy - 0.5| of TimeGAN's small recurrent judge; saturated: noisy copies and simple mixtures pass it.",
    ),
    "predictive": MetricInfo(
        "predictive score",
        "lower",
        "Train on synthetic, test on real: error one step ahead of TimeGAN's small recurrent predictor; saturated.",
        "Useful?",
    ),
    "stacked_modes": MetricInfo(
        "modes of 1,000", "higher", "Number of the 1,000 modes that are generated.", "Diverse?"
    ),
    "stacked_kl": MetricInfo("KL of modes", "lower", "KL(generated ‖ real) over the 1,000 modes, in nats.", "Diverse?"),
    "classes": MetricInfo(
        "classes", "higher", "Number of classes that have at least a tenth of their real share.", "Diverse?"
    ),
    "modes": MetricInfo("modes", "higher", "Number of clusters with a generated point within 3 σ.", "Diverse?"),
    "quality": MetricInfo("quality", "higher", "Share of generated points within 3 σ of a cluster.", "Valid?"),
    "reverse_kl": MetricInfo(
        "reverse KL", "lower", "KL(good points over clusters ‖ uniform) in nats; 0 is even.", "Diverse?"
    ),
}


def is_default(name: str) -> bool:
    """Return whether a metric is shown by default."""
    return name in DEFAULT | ON_REQUEST


def metric_info(name: str) -> MetricInfo:
    """Return a metric in words; its own name for one without an entry."""
    return GLOSSARY.get(name, MetricInfo(name.replace("_", " "), "higher", ""))


def title(name: str, extractor: str = "") -> str:
    """Return the title of a metric; only in Inception features it has the names of the literature."""
    literature = {"frechet": "FID", "kernel": "KID", "frechet_at_infinity": "FID at infinity"}
    return (
        literature.get(name, metric_info(name).title) if extractor.startswith("inception") else metric_info(name).title
    )


def features(extractor: str) -> str:
    """Return the features of an extractor in words; its name where it has none."""
    kind = re.sub(r"-[0-9a-f]{12}$", "", extractor)
    return FEATURES.get(kind, extractor)


def number(value: float | None) -> str:
    """Format with four significant figures, whole numbers as they are, and None as a dash."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.4g}"


def interval(value: float | None, plus_minus: float | None) -> str:
    """Format a value with half the width of its interval, which has two significant figures."""
    return number(value) + (f" ± {plus_minus:.2g}" if value is not None and plus_minus is not None else "")


def way(better: Better) -> str:
    """Return which values are better, in words."""
    return "nearer to real" if better == "nearer to the floor" else better


def better(direction: Better, verdict: str) -> str:
    """Return which values are better, and the verdict on the value beside the real one where it says something else."""
    endings = {
        NO_DIFFERENCE: f"; {NO_DIFFERENCE} from real",
        INCONCLUSIVE: f"; the difference from real is {INCONCLUSIVE}",
    }
    return f"{way(direction)} is better{endings.get(verdict, '')}"


def mark(verdict: str) -> str:
    """Return a verdict as a word in a column that stands beside the real value."""
    return {NO_DIFFERENCE: "as real", INCONCLUSIVE: "no interval"}.get(verdict, verdict)


def by_question(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (question, name) in the order of the questions; the question is empty where it repeats."""
    ordered = sorted(names, key=lambda name: QUESTIONS.index(metric_info(name).question))
    questions = ["", *(metric_info(name).question for name in ordered)]
    shown = ["" if question == before else question for before, question in itertools.pairwise(questions)]
    return list(zip(shown, ordered, strict=True))


def wrapped(sentences: Iterable[str]) -> list[str]:
    """Return sentences as lines that are not too long."""
    return [
        line
        for one in sentences
        for line in textwrap.wrap(one, MAX_LINE, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines: two spaces between columns, or one where lines would be too long."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = "  " if sum(widths) + 2 * len(widths) <= MAX_LINE else " "
    return [gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
