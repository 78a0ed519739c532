"""The Chinese pages: words of the field, the structure of the English pages, and Chinese typography."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CHINESE = sorted([ROOT / "README.zh-CN.md", *ROOT.glob("docs/zh/**/*.md")])
GLOSSARY = ROOT / "docs/zh/reference/glossary.md"
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *(
        (path, ROOT / "docs/zh" / path.relative_to(ROOT / "docs/en"))
        for path in sorted(ROOT.glob("docs/en/**/*.md"))
        if "api" not in path.parts
    ),
]

REPLACED = {
    "相对论": "相对损失",
    "游戏": "博弈",
    "众数": "模式",
    "模式崩溃": "模式崩塌",
    "模态崩溃": "模式崩塌",
    "底线": "真实对照",
    "点名": "列出文件名",
    "动词": "子命令",
    "真创": "真实性",
    "原创率": "真实性",
    "十倍程": "数量级",
    "模式文件": "JSON Schema",
    "已发表的数字": "已发表的结果",
    "这些数字": "这些数值、这些结果",
    "时间表": "调度",
    "日程": "调度",
    "进度表": "调度",
    "隐变量": "潜向量",
    "隐向量": "潜向量",
    "遮罩": "掩码",
    "掩模": "掩码",
    "热图": "热力图",
    "反常": "异常",
    "领域": "域",
    "成员攻击": "成员推断攻击",
    "批次轴": "批量这一维",
}
"""Words that a reader of the Chinese textbooks stumbles over, each with the one that is used instead."""

CHARACTER = "\u4e00-\u9fff"
TYPOGRAPHY = {
    rf"[{CHARACTER}][A-Za-z0-9]|[A-Za-z0-9%][{CHARACTER}]": "a space between Chinese and Latin letters or digits",
    rf"[{CHARACTER}][,;:?!]": "full-width punctuation after Chinese",
    rf"[{CHARACTER}] [{CHARACTER}]": "no space between Chinese characters",
    r"[0-9] %": "no space before %",
    r" [，。；：？！、）]|[，。；：？！、（] (?!\|)": "no space beside full-width punctuation",
}


class Page(NamedTuple):
    """Text of a page outside of code, its code blocks, and its tables as rows of cells."""

    text: str
    code: list[str]
    tables: list[list[list[str]]]


def read(path: Path) -> Page:
    """Return the parts of a page; inline code, link targets and indented code are not part of its text."""
    text = path.read_text(encoding="utf-8")
    fenced = re.compile(r"(?ms)^```\w*\n(.*?)^```")
    code, text = fenced.findall(text), fenced.sub("", text)
    text = re.sub(r"(?m)^    .*$", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`\n]+`", "``", text))
    tables = re.findall(r"(?m)(?:^\|.*\n)+", text + "\n")
    return Page(text, code, [[re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()] for table in tables])


def words(text: str) -> bool:
    """Return whether a text has a word in Latin letters."""
    return bool(re.search(r"[A-Za-z]{3}", text))


def translated(text: str) -> bool:
    """Return whether a text has Chinese characters."""
    return bool(re.search(f"[{CHARACTER}]", text))


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_words_are_those_of_the_chinese_textbooks(path: Path) -> None:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    assert not [(n, word, REPLACED[word]) for n, line in lines for word in REPLACED if word in line]


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_typography_is_chinese(path: Path) -> None:
    text = read(path).text
    assert not [
        (rule, text[max(0, found.start() - 10) : found.end() + 10])
        for pattern, rule in TYPOGRAPHY.items()
        for found in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_comments_in_code_are_translated(path: Path) -> None:
    comments = [c for block in read(path).code for c in re.findall(r'(?:^|\s)#\s.*|""".*?"""', block)]
    assert not [comment for comment in comments if words(comment) and not translated(comment)]


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_chinese_page_has_the_tables_code_and_pictures_of_the_english_one(english: Path, chinese: Path) -> None:
    ours, theirs = read(chinese), read(english)
    assert [block.count("\n") for block in ours.code] == [block.count("\n") for block in theirs.code]
    assert [[len(row) for row in table] for table in ours.tables] == [
        [len(row) for row in table] for table in theirs.tables
    ]
    assert ours.text.count("![") == theirs.text.count("![")


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_headings_of_tables_and_captions_are_translated(english: Path, chinese: Path) -> None:
    ours, theirs = read(chinese), read(english)
    headings = [("".join(a[0]), "".join(b[0])) for a, b in zip(theirs.tables, ours.tables, strict=True)]
    captions = list(zip(*(re.findall(r"!\[(.*?)\]", page.text) for page in (theirs, ours)), strict=True))
    assert not [own for other, own in [*headings, *captions] if words(other) and not translated(own)]


def test_glossary_gives_one_word_for_each_term() -> None:
    rows = [row for table in read(GLOSSARY).tables for row in table[2:]]
    terms = [term.strip() for row in rows for term in row[0].split("、")]
    assert len(terms) == len(set(terms))
    assert all(cell.strip() for row in rows for cell in row)
