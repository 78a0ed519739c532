"""Extension of griffe, which reads docstrings for the API reference."""

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"(?m)^>>> .*(?:\n.+)*")
"""An example with its result, up to the next empty line."""


class Docstrings(griffe.Extension):
    """Makes examples code blocks, and the fields of a NamedTuple the parameters of its constructor."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Fence the examples of a docstring, which Markdown takes for quotations."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **others: Any) -> None:
        """Add the ``__init__`` that the docstring of a NamedTuple describes under "Args:", as dataclasses have one."""
        if not any(str(base).split("[")[0] == "NamedTuple" for base in cls.bases):
            return
        kind = griffe.ParameterKind.positional_or_keyword
        fields = [
            griffe.Parameter(name, annotation=field.annotation, kind=kind, default=field.value)
            for name, field in cls.attributes.items()
            if field.annotation is not None and "property" not in field.labels
        ]
        parameters = griffe.Parameters(griffe.Parameter("self", kind=kind), *fields)
        cls.set_member("__init__", griffe.Function("__init__", parameters=parameters, returns="None"))
