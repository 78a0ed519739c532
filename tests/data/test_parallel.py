"""Reading in parallel shows its progress where it takes long."""

import pytest

from sparring.data import parallel
from sparring.data.parallel import in_order, shown_by


@pytest.mark.parametrize("threads", [1, 2])
def test_long_reading_is_shown_from_its_first_seconds_to_its_end(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now, shown = [100.0], list[tuple[str, int, int]]()

    def work(positions: range) -> int:
        now[0] += 0.5
        return len(positions)

    monkeypatch.setattr(parallel, "thread_count", lambda: threads)
    monkeypatch.setattr("sparring.data.parallel.time.monotonic", lambda: now[0])
    with shown_by(lambda *words: shown.append(words)):
        assert sum(in_order(work, 95, 10, "preparing images")) == 95
    assert shown[0][1] <= 30 and shown[-1] == ("preparing images", 95, 95)
    assert all(what == "preparing images" and total == 95 for what, _, total in shown)


def test_short_reading_and_reading_that_nobody_watches_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparring.data.parallel.time.monotonic", lambda: 0.0)
    shown = list[tuple[str, int, int]]()
    with shown_by(lambda *words: shown.append(words)):
        assert list(in_order(len, 25, 10)) == [10, 10, 5]
    assert list(in_order(len, 0, 10)) == [] and shown == []
