"""Outcomes of the trials: the columns of their tables, and the text of a table.

Precisely:

* used or set aside: the verbs succeed, and their result is that of the undamaged input; or what changed is nobody's to
  protect: the pixels of a plain picture file, a line of a log, a file that no verb reads.
* told: the result is another one, and a line on the terminal, or an event, says what is wrong and what is used instead.
* clear sentence: the input is refused by one line, "Found …, but expected …", or by one line about the option; the
  exit code is 2 and nothing on disk has changed.
* silent: the result is another one, and no line says so; also a control character or markup of a stranger that reaches
  the terminal or a page raw, an unquoted path in a suggested command, or a refusal that left something behind.
* traceback: any other exception, and every crash.
* hang: a verb takes longer than ten seconds, or a minute where it decodes 750 megapixels.
* over 1 GB: the process grows by more, or asks for more.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """Outcome of a case, the mildest first: a case has the most severe outcome of its verbs."""

    USED = "used or set aside"
    TOLD = "told"
    SENTENCE = "clear sentence"
    SILENT = "silent"
    TRACEBACK = "traceback"
    HANG = "hang"
    LARGE = "over 1 GB"


FAILURES = (Outcome.SILENT, Outcome.TRACEBACK, Outcome.HANG, Outcome.LARGE)
"""Outcomes of which there must be none."""
ORDER = list(Outcome)


class Judgement(NamedTuple):
    """Outcome of one verb or one case, with the reason in a few words."""

    outcome: Outcome
    reason: str = ""


class Result(NamedTuple):
    """Judgement of the case ``number``, whose inputs are of ``kind``."""

    number: int
    kind: str
    name: str
    judgement: Judgement


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the most severe judgement, the first among equals; after a hang no further verb is tried."""
    found = [Judgement(Outcome.USED)]
    for judgement in judgements:
        found.append(judgement)
        if judgement.outcome is Outcome.HANG:
            break
    return max(found, key=lambda one: ORDER.index(one.outcome))


def failed(results: Iterable[Result]) -> list[Result]:
    """Return the results that must not be."""
    return [result for result in results if result.judgement.outcome in FAILURES]


def table(results: Sequence[Result]) -> list[str]:
    """Return a table in Markdown: a row for each kind of input, a column for each outcome."""
    kinds = list(dict.fromkeys(result.kind for result in results))
    rows = [[kind, *_counts([one for one in results if one.kind == kind])] for kind in kinds]
    rows.append(["**all**", *_counts(results)])
    return [
        f"| input | cases | {' | '.join(outcome.value for outcome in Outcome)} |",
        f"|---|{'---:|' * (len(Outcome) + 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def grouped(results: Sequence[Result]) -> list[str]:
    """Return a line for each group of failures with one kind, outcome and reason, the largest group first."""
    groups = Counter((one.kind, one.judgement.outcome.value, one.judgement.reason) for one in failed(results))
    first = {(one.kind, one.judgement.outcome.value, one.judgement.reason): one for one in reversed(failed(results))}
    return [
        f"{count:5} {' · '.join(group)} · for example {first[group].number} ({first[group].name})"
        for group, count in groups.most_common()
    ]


def _counts(results: Sequence[Result]) -> list[str]:
    counts = Counter(result.judgement.outcome for result in results)
    return [f"{len(results):,}", *(f"{counts[outcome]:,}" for outcome in Outcome)]
