"""Fast parts of the two trials of benchmarks/trials: damage to every kind of input, and hostile input of every kind."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRIALS = Path(__file__).parents[2] / "benchmarks" / "trials"
DAMAGED, HOSTILE = 40, 2
"""Cases of damage, and hostile cases of each kind; one of each kind that resumes a run to its end."""
TOO_LARGE = ("bomb", "announced size", "JSON", "size of a model")
"""Kinds whose cases take seconds or gigabytes each: the whole program has them."""

PROGRAM = """
import json, sys, tempfile
from itertools import groupby
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import damage, hostile, verbs
from attacks import Materials
from bases import built
from outcomes import failed

top, damaged, each, left_out = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
bases = built(top / "bases", small=True)
verbs.prepare()
targets = damage.targets(bases)
cases = damage.cases(targets, 0, range(damaged))
used = [target for target in targets if any(case.target is target for case in cases)]
results = list(damage.play(cases, damage.healthy_results(used, top), top, 2))
print(json.dumps({"damage": len(results), "failures": [str(result) for result in failed(results)]}), flush=True)

attacks = sorted(enumerate(hostile.everything()), key=lambda one: (one[1].kind, one[0]))
chosen = []
for kind, group in groupby(attacks, key=lambda one: one[1].kind):
    found = list(group)
    count = 1 if "run folder" in kind else each
    chosen += found[:: max(1, len(found) // count)][:count] if kind not in left_out else []
chosen = [one for one in chosen if "CLASSES" not in one[1].name]
results = hostile.play(chosen, Materials(bases, top / "no bombs"), top, 2)
print(json.dumps({"hostile": len(results), "failures": [str(result) for result in failed(results)]}), flush=True)
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run both programs in a process of their own, because their cases are forked from it."""
    top = tmp_path_factory.mktemp("trials")
    words = [str(TRIALS), str(top), str(DAMAGED), str(HOSTILE), *TOO_LARGE]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {name: part | {"count": part[name]} for part in found for name in ("damage", "hostile") if name in part}


@pytest.mark.parametrize(("name", "least"), [("damage", DAMAGED), ("hostile", 25)])
def test_no_case_is_silent_or_ends_in_a_traceback_or_hangs(name: str, least: int, outcome: dict[str, Any]) -> None:
    assert outcome[name]["count"] >= least
    assert outcome[name]["failures"] == []
