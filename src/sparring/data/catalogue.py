"""Data sets that are known by name, with the pinned SHA-256 of every file to download.

Each SHA-256 is that of the file as published. It was taken from several independent projects that state the same value,
not computed from a fresh download.
"""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class PublishedFile:
    """One file to download: its name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


@final
@dataclass(frozen=True)
class Publication:
    """Files that are published at one address.

    Args:
        home: address of the folder that holds the files, with a slash at the end.
        files: the files to download.
        classes: names of the labels, in the order of their numbers.
        terms: licence, or terms of use.
    """

    home: str
    files: tuple[PublishedFile, ...]
    classes: tuple[str, ...]
    terms: str


@final
@dataclass(frozen=True)
class RecordLayout:
    """Layout of a tar archive of labelled images, in records of one label byte and the pixels as uint8.

    Args:
        files: names of the training files in the archive, without folders.
        count: records in each file.
        shape: (channels, height, width) of an image.
    """

    files: tuple[str, ...]
    count: int
    shape: tuple[int, int, int]


DATASETS = {
    "mnist": Publication(
        home="https://ossci-datasets.s3.amazonaws.com/mnist/",
        files=(
            PublishedFile(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            PublishedFile(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            PublishedFile(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            PublishedFile(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        classes=tuple("0123456789"),
        terms="CC BY-SA 3.0",
    ),
    "fashion-mnist": Publication(
        home="https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        files=(
            PublishedFile(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            PublishedFile(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            PublishedFile(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            PublishedFile(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        classes=(
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        terms="MIT",
    ),
    "cifar10": Publication(
        home="https://www.cs.toronto.edu/~kriz/",
        files=(
            PublishedFile(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        terms="research use",
    ),
}
"""Image data sets to download, by name."""

CIFAR_LAYOUT = RecordLayout(tuple(f"data_batch_{number}.bin" for number in range(1, 6)), 10_000, (3, 32, 32))
"""Layout of the archive of "cifar10"."""

DIGITS, STACKED = "digits", "stacked-mnist"
"""Images that come with scikit-learn, and a data set derived from "mnist"."""

IMAGE_NAMES = (DIGITS, *DATASETS, STACKED)
"""Every name of images."""

NAMES = (*IMAGE_NAMES, "ring", "grid", "lattice")
"""Every name that can be given as data: a data set that comes with scikit-learn, the downloads, a data set derived from
one of them, and mixtures of Gaussians.
"""


def meant(name: str) -> str:
    """Return the name of a data set that text stands for: FashionMNIST or CIFAR-10; other text stays as it is.

    Letter case, dashes, underscores, spaces and a slash at the end do not count.
    """
    return _BY_LETTERS.get(_letters(name), name)


def _letters(name: str) -> str:
    return name.lower().rstrip("/\\").translate(str.maketrans("", "", "-_ "))


_BY_LETTERS = {_letters(name): name for name in NAMES}
