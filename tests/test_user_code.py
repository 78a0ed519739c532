"""Files of the user are executed once, and whatever they raise is one sentence."""

import sys
from pathlib import Path

import pytest

from sparring.cli import main
from sparring.errors import SparringError
from sparring.recipes import find_recipe
from sparring.user_code import load_user_object

FAILURES = {
    "import sys; sys.exit(3)": "SystemExit in .*: 3",
    "raise SystemExit": "SystemExit in .*: no message",
    "class Odd(BaseException): pass\nraise Odd('so')": "Odd in .*: so",
    "class Mute(Exception):\n    def __str__(self): return 1 / 0\nraise Mute": "Mute in .*: no message that",
    "raise GeneratorExit": "GeneratorExit in ",
    "1 / 0": "ZeroDivisionError in .*: division by zero",
    "def f(:": "SyntaxError in ",
    "x = 'a\\0b'\n\0": "in .*mine.py",
}
"""Content of a file → the message."""


@pytest.mark.parametrize("content", FAILURES)
def test_whatever_a_file_raises_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(content)
    before = set(sys.modules)
    with pytest.raises(SparringError, match=FAILURES[content]):
        load_user_object(f"{tmp_path / 'mine.py'}:Name", "a name")
    assert not [name for name in set(sys.modules) - before if name.startswith("own_mine_")]


def test_ctrl_c_in_a_file_stops_the_program(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_user_object(f"{tmp_path / 'mine.py'}:Name", "a name")


def test_a_recipe_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import sys\nclass Mine:\n    def __init__(self): sys.exit(0)\n")
    with pytest.raises(SparringError, match=r"SystemExit in .*mine.py:Mine: 0"):
        find_recipe(f"{tmp_path / 'mine.py'}:Mine")


def test_a_file_that_exits_ends_a_command_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("import sys; sys.exit(0)")
    with pytest.raises(SystemExit) as leaving:
        main(["train", "ring", "--recipe", f"{tmp_path / 'mine.py'}:Name", "--out", str(tmp_path / "run")])
    assert leaving.value.code == 2 and "SystemExit" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_game_that_exits_ends_a_command_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(
        "import sys\nfrom sparring.modalities.points.recipes.point_recipe import PointRecipe\n"
        "class Mine(PointRecipe):\n    paper = ''\n    def optimisers(self): return {}\n"
        "    def game(self, facts): sys.exit(0)\n"
    )
    with pytest.raises(SystemExit) as leaving:
        main(["train", "ring", "--recipe", f"{tmp_path / 'mine.py'}:Mine", "--out", str(tmp_path / "run")])
    assert leaving.value.code == 2 and "sys.exit(0) in code of your own" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
