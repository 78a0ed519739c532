"""Extension of griffe: fields of a NamedTuple are the parameters of its constructor, as those of a dataclass are."""

from typing import Any

import griffe


class NamedTuples(griffe.Extension):
    """Gives each NamedTuple the ``__init__`` that its docstring describes under "Args:"."""

    def on_class(self, *, cls: griffe.Class, **others: Any) -> None:
        """Add the constructor, before docstrings are parsed."""
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
