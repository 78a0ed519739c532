"""Formats of picture files, recognised by their first bytes: those that are read, and names of others."""

import struct

from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
"""Formats that are read; no other is ever opened."""
READ_SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp"})
OTHER_PICTURES = {
    "HEIC": (".heic", ".heif", ".hif"),
    "AVIF": (".avif", ".avifs"),
    "PGM or PPM": (".pgm", ".ppm", ".pbm", ".pnm"),
    "DICOM": (".dcm", ".dicom"),
    "JPEG XL": (".jxl",),
    "JPEG 2000": (".jp2", ".j2k"),
    "OpenEXR": (".exr",),
    "Photoshop": (".psd",),
    "camera raw": (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
}
"""Pictures of formats that are not read, with their suffixes."""
OTHER_STARTS = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"v/1\x01": "OpenEXR",
    b"8BPS": "Photoshop",
}
"""First bytes of some of them; ``other_format`` recognises the others."""
READ_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a", b"BM")
"""First bytes of formats that are read; WebP has its name further on."""
SUFFIXES = READ_SUFFIXES | {suffix for suffixes in OTHER_PICTURES.values() for suffix in suffixes}
"""Suffixes of pictures, whether these are read or only named as what they are."""
HEAD_BYTES = 132
"""Bytes at the start of a file that tell its format."""
MAX_PIXELS = 64_000_000
CONVERTERS = {
    "HEIC": "`magick x.heic x.jpg`, or with Python's pillow-heif",
    "AVIF": "`magick x.avif x.png`",
    "PGM or PPM": "`magick x.pgm x.png`",
    "DICOM": "`dcm2img x.dcm x.png` of DCMTK, or with Python's pydicom to .npy",
    "camera raw": "a raw converter such as darktable or RawTherapee",
}
"""Format → what converts it to one that is read."""


class UnsupportedFormat(ValueError):
    """A picture of a format that is known but not read.

    Args:
        name: one of ``OTHER_PICTURES``.
    """

    def __init__(self, name: str) -> None:
        article = "an" if name[0] in "AHO" and name != "HEIC" else "a"
        convert = CONVERTERS.get(name, "any image editor")
        super().__init__(f"{article} {name} picture, which is not read; convert it to PNG or JPEG with {convert}")


def is_image_header(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a picture, of a format that is read or only known."""
    return is_readable_header(head) or other_format(head) is not None


def is_readable_header(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a format that is read."""
    return head.startswith(READ_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def other_format(head: bytes) -> str | None:
    """Return the name of a known format that is not read, or None for any other file."""
    # ISO media files name their brand after "ftyp".
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return "AVIF"
        if brand in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"):
            return "AVIF" if b"avif" in head[16:HEAD_BYTES] else "HEIC"
        return "camera raw" if brand == b"crx " else None
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in (b" ", b"\t", b"\n", b"\r"):
        return "PGM or PPM"
    if head[128:132] == b"DICM":
        return "DICOM"
    return next((name for start, name in OTHER_STARTS.items() if head.startswith(start)), None)


def reason(error: Exception, pixels: int = MAX_PIXELS) -> str:
    """Return the reason why a picture cannot be decoded, in a few words.

    Args:
        error: as it was raised.
        pixels: limit above which pictures are refused.
    """
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {pixels // 1_000_000} megapixels (a decompression bomb?)"
    if isinstance(error, UnidentifiedImageError):
        return "not a readable PNG, JPEG, WebP, TIFF, GIF or BMP image"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    if isinstance(error, struct.error | IndexError | KeyError | TypeError | AttributeError | SyntaxError):
        return f"a damaged file ({' '.join(str(error).split())[:120] or type(error).__name__})"
    message = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
    return message[:240] or type(error).__name__
