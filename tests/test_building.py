"""Networks that a folder describes take no memory before they are known to fit."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from sparring.building import blank_game
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.randomness import seeded
from sparring.recipe import Machine, resolve, with_fields
from sparring.recipes import RECIPES
from toys.small_recipes import toy

SMALL = {"width": 8, "latent_size": 4}
SHAPES = {"points": (2,), "images": (3, 32, 32), "tables": (2,), "series": (6, 2), "text": (6,), "molecules": (6,)}
CODINGS = {
    "images": {"pair": {"sides": ["labels", "photographs"], "channels": [3, 3]}},
    "tables": toy(RECIPES["tables/gan"])[0].coding,
    "series": toy(RECIPES["series/gan"])[0].coding,
    "text": toy(RECIPES["text/lstm"])[0].coding,
    "molecules": toy(RECIPES["molecules/lstm"])[0].coding,
}


def facts_for(name: str, **changes: Any) -> Facts:
    modality = RECIPES[name].modality
    known: dict[str, Any] = {"source": "x", "modality": modality, "count": 1000, "shape": SHAPES[modality]}
    known["coding"] = CODINGS.get(modality, {})
    return Facts(**{**known, "fingerprint": "0" * 64, "classes": ("a", "b"), "offers": ("label",), **changes})


@pytest.mark.parametrize("name", RECIPES)
def test_blank_networks_have_the_names_and_shapes_of_real_ones(name: str) -> None:
    """And with the weights of real ones, they generate the same samples."""
    facts = facts_for(name)
    small = {field: value for field, value in SMALL.items() if field in type(RECIPES[name]).model_fields}
    recipe, _ = resolve(with_fields(RECIPES[name], small), facts, Machine("cpu", 2**33, 2, False))
    state = torch.random.get_rng_state()
    blank = blank_game(recipe, facts)
    assert torch.equal(torch.random.get_rng_state(), state)
    with seeded(1, "weights"):
        real = recipe.game(facts)
    for player, module in real.players.items():
        blank.players[player].load_state_dict(module.state_dict())
        assert [tuple(value.shape) for value in blank.players[player].buffers()] == [
            tuple(value.shape) for value in module.buffers()
        ]
        for one, other in zip(blank.players[player].buffers(), module.buffers(), strict=True):
            assert torch.equal(one, other)


def test_networks_of_gigabytes_are_refused_without_taking_the_memory() -> None:
    code = (
        "import resource\nfrom sparring.building import blank_game\nfrom sparring.data.facts import Facts\n"
        "from sparring.recipe import with_fields\nfrom sparring.recipes import RECIPES\n"
        "facts = Facts('x', 'points', 1000, (2,), '0' * 64)\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "blank_game(RECIPES['points/ring'], facts)\nbefore = peak()\n"
        "blank_game(with_fields(RECIPES['points/ring'], {'width': 20000}), facts)\nprint(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50


@pytest.mark.parametrize(
    "changes", [{"shape": ()}, {"coding": {"center": "x"}}, {"coding": {"scale": [1.0, [2.0]]}}, {"modality": "images"}]
)
def test_facts_that_do_not_fit_are_refused_in_one_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(SparringError):
        blank_game(RECIPES["points/ring"], facts_for("points/ring", **changes))


@pytest.mark.parametrize(
    ("name", "field"),
    [("points/ring", "packing"), ("points/ring", "width"), ("points/ring", "places"), ("images/r3gan", "blocks"),
     ("images/gan", "latent_size"), ("images/dcgan", "packing"), ("images/vae", "batch")],
)  # fmt: skip
def test_absurd_fields_are_refused(name: str, field: str) -> None:
    with pytest.raises(SparringError, match="less than or equal to"):
        with_fields(RECIPES[name], {field: 10**7})
