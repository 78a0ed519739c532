"""Lay out the site as the repository is laid out, so that relative links work on GitHub and in the site alike."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

BESIDE_DOCS = ("*.md", "LICENSE", "CITATION.cff", "examples/*.py", "examples/*.ipynb")
"""Files outside docs/ that pages link to."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the theme's files, and those of the repository under their own paths."""
    root = Path(config.config_file_path).parent
    paths = [*(path for pattern in BESIDE_DOCS for path in root.glob(pattern)), *(root / "docs").rglob("*.*")]
    of_theme = [file for file in files if file.src_dir != config.docs_dir]
    of_repository = [
        File(path.relative_to(root).as_posix(), str(root), config.site_dir, config.use_directory_urls)
        for path in sorted(paths)
        if path.suffix not in (".py", ".pyc") or path.parent.name == "examples"
    ]
    return Files([*of_theme, *of_repository])
