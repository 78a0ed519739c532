"""Extension of griffe, which reads docstrings for the API reference."""

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"(?m)^>>> .*(?:\n.+)*")
"""An example with its result, up to the next empty line."""

KINDS = {
    "NamedTuple": griffe.ParameterKind.positional_or_keyword,
    "BaseModel": griffe.ParameterKind.keyword_only,
}
"""Base class → kind of the parameters that its fields become."""


class Docstrings(griffe.Extension):
    """Makes examples code blocks, and the fields of NamedTuples and models the parameters of their constructors."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Fence the examples of a docstring, which Markdown takes for quotations."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **others: Any) -> None:
        """Add the ``__init__`` that a docstring describes under "Args:", which griffe knows of dataclasses alone."""
        kinds = [KINDS[name] for base in cls.bases if (name := str(base).split("[")[0]) in KINDS]
        if not kinds:
            return
        fields = [
            griffe.Parameter(name, annotation=field.annotation, kind=kinds[0], default=field.value)
            for name, field in cls.attributes.items()
            if field.annotation is not None and "property" not in field.labels and "instance-attribute" in field.labels
        ]
        own = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
        parameters = griffe.Parameters(own, *fields)
        cls.set_member("__init__", griffe.Function("__init__", parameters=parameters, returns="None"))
