"""`sparring completion`."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

from sparring.text import show

PLACES = frozenset({"data", "inputs", "json", "labels", "pairs", "to", "input", "mask", "reference"})
"""Options that are text, since names or words stand for some values, and mostly are files or folders."""
COMMAND_TESTS = {
    "bash": ('if [[ " $all_commands "', 'if [[ ${#cmd_path[@]} -eq 0 && " $all_commands "'),
    "fish": (
        'if string match -q -- "* $word *" " $all_',
        'if not count $subcommands > /dev/null; and string match -q -- "* $word *" " $all_',
    ),
}
"""Shell → the test for a command in its script, and one that no later word meets, such as a folder of that name."""


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
    from sparring.cli import COMMANDS, application

    described = {name: _with_values(function) for name, function in COMMANDS.items()}
    script = application(described).generate_completion(shell=shell).rstrip("\n")
    if shell in COMMAND_TESTS:
        script = script.replace(*COMMAND_TESTS[shell])

    # Bash itself completes files where the script has no answer, and quotes them, which the script does not.
    script = script.replace('COMPREPLY=( $(compgen -f -- "${cur}") )', "COMPREPLY=()")
    show(script.replace("complete -F _sparring", "complete -o bashdefault -o default -F _sparring"))


def _with_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command whose parameters have the types by which the parser offers values: words, or paths."""
    from sparring.recipes import RECIPES
    from sparring.runs.folder import JUDGEMENTS
    from sparring.watchdog.monitor import MODES

    # Where a model has its recipe, only a file of the user's own is ever given.
    chosen = {"train": "recipe", "inspect": "recipe", "recipes": "name"}.get(function.__name__)
    kinds: dict[str, Any] = dict.fromkeys((*PLACES, "recipe"), Path)
    words = {"judge": tuple(JUDGEMENTS), "watchdog": MODES} | ({chosen: tuple(RECIPES)} if chosen else {})
    word, several = (cast(Any, one) for one in (Literal, list))
    kinds |= {name: word[values] for name, values in words.items()}

    # Help and names of an option are kept.
    hints = get_type_hints(function, include_extras=True)
    for name in kinds.keys() & hints.keys():
        known, kind = hints[name], kinds[name]
        offered = several[kind] if get_origin(known) is list else kind | None
        further = get_args(known)[1:] if get_origin(known) is Annotated else ()
        hints[name] = Annotated[(offered, *further)] if further else offered

    @functools.wraps(function)
    def described(*values: Any, **options: Any) -> None:
        function(*values, **options)

    signature = inspect.signature(function)
    named = [one.replace(annotation=hints[one.name]) for one in signature.parameters.values()]
    vars(described).update(__signature__=signature.replace(parameters=named))
    described.__annotations__ = hints
    return described
