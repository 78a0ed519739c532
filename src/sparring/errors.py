"""What is said to a person when something they gave cannot be used."""


class SparringError(ValueError):
    """One clear sentence: what was found, what was expected, what to do.

    Every verb turns it into that sentence and exit code 2; Python callers catch it as a ``ValueError``.
    """

    def __init__(self, *, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"Found {found} · expected {expected} · {remedy}")
        self.found = found
        self.expected = expected
        self.remedy = remedy


def nearest(word: str, known: list[str]) -> str:
    """``"; did you mean 'x'?"`` for the known word closest to ``word``, or an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def missing_extra(package: str, extra: str, purpose: str) -> SparringError:
    """The one line for an optional package that is not installed."""
    return SparringError(
        found=f"no package {package!r}",
        expected=f"it, {purpose}",
        remedy=f'run: pip install "sparring[{extra}]"',
    )
