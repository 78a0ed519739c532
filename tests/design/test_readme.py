"""Commands, code blocks and links of the documents are valid, and both languages have the same."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import sparring
from sparring.cli import application
from sparring.data.facts import Facts
from sparring.recipe import with_fields
from sparring.recipes import RECIPES, find_recipe

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if page.name != "CHANGELOG.md"]
PAIRS = [("README.md", "README.zh-CN.md")]
PAIRS += [
    (f"docs/en/{page}", f"docs/zh/{page}")
    for page in sorted(path.relative_to(ROOT / "docs/zh").as_posix() for path in ROOT.glob("docs/zh/**/*.md"))
    if page != "reference/glossary.md"
]


def commands(page: Path) -> list[str]:
    """Return the calls of the command line in ``sh`` blocks, without comments and line continuations."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"(?ms)^```(?:sh|bash|console)\n(.*?)^```", text)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    stripped = [re.sub(r"\s+#.*$", "", line).removeprefix("$ ").strip() for line in lines]
    found = []
    for line in stripped:
        call = re.search(r"(?:^|&& |-m |bin/)sparring(?=\s|$)(.*)", line)
        if call:
            found.append(call[1].strip())
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_accepted_by_the_command_line(page: Path) -> None:
    for line in commands(page):
        words = shlex.split(line)
        if "--help" in words or "--version" in words:
            continue
        _, bound, *_ = application().parse_args(words, exit_on_error=False, print_error=False)
        assert_are_fields_of_a_recipe(bound.arguments)


def assert_are_fields_of_a_recipe(given: dict[str, object]) -> None:
    """Check that further options of `sparring train` are fields of the recipe, with values that fit."""
    fields = given.get("fields") or {}
    assert isinstance(fields, dict)
    names = [name for name in RECIPES if name == given.get("recipe")] or list(RECIPES)
    values = {name.replace("-", "_"): value for name, value in fields.items()}
    fitting = [name for name in names if set(values) <= set(type(RECIPES[name]).model_fields)]
    assert fitting, f"no recipe has the fields {sorted(values)}"
    with_fields(RECIPES[fitting[0]], values)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_commands_and_headings(english: str, chinese: str) -> None:
    pages = ROOT / english, ROOT / chinese
    assert commands(pages[0]) == commands(pages[1])
    headings = [re.findall(r"(?m)^(#+) ", re.sub(r"(?ms)^```.*?^```", "", page.read_text())) for page in pages]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_recipe_of_the_readme_builds_a_game(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"))
    (block,) = (block for block in blocks if "class MyRecipe" in block)
    (tmp_path / "mine.py").write_text(block, encoding="utf-8")
    recipe = find_recipe(f"{tmp_path / 'mine.py'}:MyRecipe")
    facts = Facts("synthetic", "images", 90, (1, 8, 8), "", classes=("a", "b"), offers=("label",))
    assert set(recipe.optimisers()) == set(with_fields(recipe, {"resolution": 8}).game(facts).players)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_are_valid_syntax(page: Path) -> None:
    for block in re.findall(r"(?ms)^```python\n(.*?)^```", page.read_text(encoding="utf-8")):
        ast.parse(block)


def test_api_reference_lists_every_public_name() -> None:
    page = (ROOT / "docs/en/reference/api/index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\[`(\w+)`\]", page)) == set(sparring.__all__)
