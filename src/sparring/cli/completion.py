"""`sparring completion`."""

import re
from typing import Literal

from sparring.text import show

VALUES = {
    "bash": (r"(--OPTION\)\n\s*)COMPREPLY=\(\)", r"""\1COMPREPLY=( $(compgen -W "VALUES" -- "${cur}") )"""),
    "zsh": (r"(--OPTION\[.*\]:OPTION)'", r"\1:(VALUES)'"),
    "fish": (r"(-l OPTION -r)", r"\1 -f -a 'VALUES'"),
}
"""Shell → the place of an option without values in its script, and the same with values."""


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print a script that lets the shell complete commands, options and their values with the Tab key.

    Examples:
        sparring completion bash > ~/.local/share/bash-completion/completions/sparring

        sparring completion zsh > "${fpath[1]}/_sparring"

        sparring completion fish > ~/.config/fish/completions/sparring.fish

    Parameters
    ----------
    shell
        The shell that reads the script.
    """
    # The application imports this file.
    from sparring.cli import application
    from sparring.recipes import RECIPES
    from sparring.runs.folder import JUDGEMENTS
    from sparring.watchdog.monitor import MODES

    script = application().generate_completion(shell=shell).rstrip("\n")
    pattern, replacement = VALUES[shell]
    for option, values in (("recipe", RECIPES), ("judge", JUDGEMENTS), ("watchdog", MODES)):
        script = re.sub(pattern.replace("OPTION", option), replacement.replace("VALUES", " ".join(values)), script)
    # Where there are no other answers, the shell offers files.
    show(script.replace("complete -F _sparring", "complete -o default -F _sparring"))
