"""What was found in the data, in a form that a person reads and a run keeps."""

from dataclasses import asdict, dataclass, field
from typing import Any, final


@final
@dataclass(frozen=True)
class Facts:
    """What a source of data holds.

    Args:
        source: the path or name as given.
        modality: "images", "points", …
        count: readable samples.
        classes: names of the labels in the order of their numbers; empty if the data has none.
        shape: the natural shape of one sample: (channels, height, width) of the commonest size for images, (2,) for
            points.
        fingerprint: SHA-256 over the content of all readable samples and their labels.
        offers: the conditions that players can be told of these samples: "label", "pair", …
        coding: what networks and decoding need to know (columns, alphabet, rate, centre), published with a model; JSON
            values only.
        details: everything else that `sparring inspect` prints; JSON values only, keys are plain words.
        remarks: full sentences about what was set aside, converted or is unusual; shown to the person.
    """

    source: str
    modality: str
    count: int
    shape: tuple[int, ...]
    fingerprint: str
    classes: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    coding: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Facts":
        """The facts that ``as_json`` gave, also of versions that kept the coding of points among the details."""
        if "coding" not in content:
            details = content["details"]
            coding = {name: details[name] for name in ("center", "scale") if name in details}
            content = {**content, "offers": ["label"] if content["classes"] else [], "coding": coding}
        listed = {name: tuple(content[name]) for name in ("shape", "classes", "offers", "remarks")}
        return Facts(**{**content, **listed})
