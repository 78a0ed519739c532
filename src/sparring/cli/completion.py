"""`sparring completion`."""

from typing import Literal

from sparring.text import show


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

    show(application().generate_completion(shell=shell).rstrip("\n"))
