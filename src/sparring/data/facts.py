"""Facts: the description of a data set that users read and runs store."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, final

from pydantic import ConfigDict, Field

from sparring.schema import STORED, Count, validated

Extent = Annotated[int, Field(ge=1, le=2**20)]
"""Size of a sample in one dimension."""


@final
@dataclass(frozen=True)
class Facts:
    """Description of a data set.

    Args:
        source: the path or name as given by the user.
        modality: "images", "points", …
        count: number of readable samples.
        shape: natural shape of one sample: (channels, height, width) of the most common size for images, (2,) for
            points.
        fingerprint: SHA-256 of the content of all readable samples and their labels.
        classes: names of the labels in the order of their numbers; empty if the data has none.
        offers: conditions that the data has for each sample: "label", "pair", …
        coding: values that networks and decoding need (columns, alphabet, rate, centre), published with a model; JSON
            values only.
        details: everything else that `sparring inspect` prints; JSON values only, keys are plain words.
        remarks: full sentences about samples that were skipped, converted or are unusual, shown to the user.
        reading: choices by which the source was read, as given; see ``data.reading.Reading``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    source: str
    modality: str
    count: Count
    shape: tuple[Extent, ...]
    fingerprint: str
    classes: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    coding: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    reading: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(content: Any, place: str = "the facts of the data") -> "Facts":
        """Build facts from the values of ``as_json``, including those of folders of format 1.

        Args:
            content: the values.
            place: where they come from, for the error.

        Raises:
            SparringError: a value is missing, unknown or of another type.
        """
        # Format 1 has neither offers nor coding; it keeps the centre and scale of points among the details.
        if isinstance(content, dict) and "coding" not in content:
            details = content.get("details")
            known = details if isinstance(details, dict) else {}
            coding = {name: known[name] for name in ("center", "scale") if name in known}
            content = {**content, "offers": ["label"] if content.get("classes") else [], "coding": coding}
        return validated(Facts, content, place)
