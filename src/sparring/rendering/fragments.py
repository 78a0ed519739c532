"""HTML fragments by which objects show themselves in a notebook; in plain Python they are strings.

Colours are those of the notebook, light or dark. All text is escaped, and pictures are within the fragment.
"""

import base64
from collections.abc import Iterable, Sequence
from html import escape

from sparring.rendering.exhibits import Exhibit, Picture, Sound, Table, Text
from sparring.text import joined, lines, printable

CELL = "padding:0.15em 0.9em 0.15em 0;text-align:left;vertical-align:top"
PARAGRAPH = "margin:0.3em 0"


def fragment(
    title: str,
    sentences: Iterable[str] = (),
    *,
    exhibits: Iterable[Exhibit] = (),
    facts: Iterable[tuple[str, str]] = (),
    links: Iterable[str] = (),
    folded: Sequence[str] = (),
    heading: str = "All of it",
) -> str:
    """Return a fragment of HTML.

    Args:
        title: its first line.
        sentences: paragraphs below it; empty ones are left out.
        exhibits: pictures, sounds, texts and tables.
        facts: names with their values, as a table.
        links: paths relative to the folder in which Python runs, which a notebook opens.
        folded: lines of plain text that are shown on demand.
        heading: of these.
    """
    parts = [f'<p style="{PARAGRAPH}"><strong>{_text(title)}</strong></p>']
    parts += [f'<p style="{PARAGRAPH}">{_text(sentence)}</p>' for sentence in sentences if sentence]
    parts += [_exhibit(one) for one in exhibits]
    rows = [f"<tr>{_cell('th', name, 'row')}{_cell('td', value)}</tr>" for name, value in facts]
    parts += [f"<table>{''.join(rows)}</table>"] if rows else []
    parts += [f'<p style="{PARAGRAPH}"><a href="{_text(link)}">{_text(link)}</a></p>' for link in links]
    if folded:
        text = f'<pre style="overflow-x:auto">{escape(joined(folded))}</pre>'
        parts.append(f"<details><summary>{_text(heading)}</summary>{text}</details>")
    return f'<div style="max-width:60em;line-height:1.45">{"".join(parts)}</div>'


def data_url(content: bytes, kind: str) -> str:
    """Return the content of a file as a URL: ``data:image/png;base64,…``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _exhibit(exhibit: Exhibit) -> str:
    if isinstance(exhibit, Picture):
        words = _text(exhibit.words or "Samples.")
        url = data_url(exhibit.file, "image/png")
        shown = f'<img src="{url}" alt="{words}" style="max-width:100%">'
    elif isinstance(exhibit, Sound):
        url = data_url(exhibit.file, "audio/wav")
        shown = f'<audio controls src="{url}"></audio>'
    elif isinstance(exhibit, Text):
        font = ";font-family:monospace" if exhibit.fixed else ""
        items = "".join(f'<li style="white-space:pre-wrap{font}">{escape(lines(line))}</li>' for line in exhibit.lines)
        shown = f"<ol>{items}</ol>"
    else:
        shown = _table(exhibit)
    shown = f'<div style="{PARAGRAPH};overflow-x:auto">{shown}</div>'
    caption = f'<p style="{PARAGRAPH}">{_text(exhibit.caption)}</p>' if exhibit.caption else ""
    # A table is read from its caption on; a picture is looked at first.
    return caption + shown if isinstance(exhibit, Table) else shown + caption


def _table(table: Table) -> str:
    header = "".join(_cell("th", name, "col") if name else _cell("td", name) for name in table.header)
    rows = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(tag: str, text: str, scope: str = "") -> str:
    attribute = f' scope="{scope}"' if scope else ""
    return f'<{tag}{attribute} style="{CELL}">{_text(text)}</{tag}>'


def _text(text: str) -> str:
    return escape(printable(text))
