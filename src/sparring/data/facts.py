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
        details: everything else that `sparring inspect` prints; JSON values only, keys are plain words.
        remarks: full sentences about what was set aside, converted or is unusual; shown to the person.
    """

    source: str
    modality: str
    count: int
    shape: tuple[int, ...]
    fingerprint: str
    classes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Facts":
        """The facts that ``as_json`` gave."""
        values = {**content, "shape": tuple(content["shape"]), "classes": tuple(content["classes"])}
        return Facts(**{**values, "remarks": tuple(content["remarks"])})
