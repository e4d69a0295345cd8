"""One image: every kind of pixel, every way to be broken, and nothing decoded that is too large or of another kind."""

import io
import struct
import zlib

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aurify.data import image_files
from aurify.data.image_files import opened, reason_of
from aurify.data.image_fitting import fitted
from aurify.data.image_form import Form
from aurify.data.images import decoded, form_of

RGB, GRAY = Form(4, 4, 3, "crop"), Form(4, 4, 1, "crop")


def file_of(image, kind="PNG", **options):
    with io.BytesIO() as file:
        image.save(file, kind, **options)
        return file.getvalue()


def plain(mode, colour):
    return Image.new(mode, (4, 4), colour)


def far(image, colour):
    return np.abs(image.astype(int) - np.array(colour)).max()


def palette(**options):
    image = plain("P", 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.info.update(options)
    return image


KINDS = {
    "L": (plain("L", 100), "PNG", (100, 100, 100)),
    "1": (plain("1", 1), "PNG", (255, 255, 255)),
    "P": (palette(), "PNG", (255, 0, 0)),
    "P transparent": (palette(transparency=0), "PNG", (255, 255, 255)),
    "LA": (plain("LA", (100, 255)), "PNG", (100, 100, 100)),
    "RGBA clear": (plain("RGBA", (9, 9, 9, 0)), "PNG", (255, 255, 255)),
    "RGBA half": (plain("RGBA", (0, 0, 0, 128)), "PNG", (127, 127, 127)),
    "CMYK tiff": (plain("CMYK", (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
    "16 bits": (Image.fromarray(np.full((4, 4), 32896, np.uint16)), "PNG", (128, 128, 128)),
    "16 bits, dark": (Image.fromarray(np.full((4, 4), 200, np.uint16)), "PNG", (1, 1, 1)),
    "16 bits tiff": (Image.fromarray(np.full((4, 4), 32896, np.uint16)), "TIFF", (128, 128, 128)),
    "I": (plain("I", 70), "TIFF", (70, 70, 70)),
    "F": (plain("F", 0.5), "TIFF", (128, 128, 128)),
    "GIF": (palette(), "GIF", (255, 0, 0)),
    "WEBP": (plain("RGB", (10, 200, 30)), "WEBP", (10, 200, 30)),
    "BMP": (plain("RGB", (10, 200, 30)), "BMP", (10, 200, 30)),
    "JPEG": (plain("RGB", (10, 200, 30)), "JPEG", (10, 200, 30)),
    "CMYK jpeg": (plain("CMYK", (0, 255, 255, 0)), "JPEG", (255, 0, 0)),  # Adobe's way: all of it inverted
    "L jpeg": (plain("L", 100), "JPEG", (100, 100, 100)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_of_every_kind_come_out_as_the_colour_they_mean(kind):
    image, form, colour = KINDS[kind]
    raw = file_of(image, form, **({"lossless": True} if form == "WEBP" else {}))
    assert far(fitted(raw, RGB), colour) <= 3, kind
    luma = round(colour[0] * 0.299 + colour[1] * 0.587 + colour[2] * 0.114)
    assert far(fitted(raw, GRAY), luma) <= 3


def test_frames_after_the_first_are_not_read():
    frames = [palette(), plain("RGB", (0, 0, 255))]
    raw = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert far(fitted(raw, RGB), (255, 0, 0)) == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("held", range(1, 9))
def test_images_are_turned_as_the_camera_was_held(held, kind):
    """The red corner, stored in each of eight ways, comes out at the top left."""
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste((255, 0, 0), (0, 0, 8, 8))
    back = {5: 5, 6: 2, 7: 6, 8: 4, 2: 0, 3: 3, 4: 1}  # the transposition that undoes each
    stored = upright if held == 1 else upright.transpose(back[held])
    exif = Image.Exif()
    exif[0x0112] = held
    raw = file_of(stored, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    found = fitted(raw, Form(16, 32, 3, "stretch"))
    assert far(found[:7, :7], (255, 0, 0)) < 40
    assert far(found[9:, 9:], (255, 255, 255)) < 40


def test_nonsense_beside_the_pixels_does_no_harm():
    raw = file_of(plain("RGB", (10, 200, 30)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\0")
    assert far(decoded(pl.Series([raw]), RGB).images[0], (10, 200, 30)) <= 3


def test_a_large_photo_is_decoded_small_and_comes_out_alike():
    """What a JPEG's reader leaves out is nothing that would be seen."""
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((640, 480))
    drafted = fitted(file_of(small, "JPEG", quality=95), Form(32, 32, 3, "crop"))
    whole = fitted(file_of(small, "PNG"), Form(32, 32, 3, "crop"))
    assert np.abs(drafted.astype(int) - whole).mean() < 3


def test_images_that_do_not_fit_are_cropped_padded_or_stretched():
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 255  # the middle square is white
    crop, pad, stretch = (fitted(wide, Form(8, 8, 3, aspect)) for aspect in ("crop", "pad", "stretch"))
    assert crop.min() == 255
    assert pad[:2].max() == pad[-2:].max() == 0
    assert pad[3:5, 3:5].min() > 200
    assert stretch[:, 0].max() < 60 < 200 < stretch[:, 4].min()


@pytest.mark.parametrize("aspect", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 3000, 3), (3000, 1, 3), (1, 1, 3)])
def test_the_longest_and_the_smallest_images_fit(shape, aspect):
    assert fitted(np.full(shape, 200, np.uint8), Form(16, 16, 3, aspect)).max() == 200


def png_of_nothing(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    body = b"".join([*(packer.compress(row * 100) for _ in range(height // 100)), packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch):
    def decode(*arguments):
        raise AssertionError("it was decoded")

    raw = png_of_nothing(13_000, 13_000)
    assert len(raw) < 170_000
    monkeypatch.setattr(Image.Image, "load", decode)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    # warnings are errors in tests: of decompression bombs nobody warns, they are refused
    with pytest.raises(image_files.NoImageError, match="169,000,000 pixels; at most"):
        opened(raw)


def test_a_webp_that_claims_to_be_huge_is_refused_by_its_first_bytes(monkeypatch):
    monkeypatch.setattr(image_files, "_readers", lambda: pytest.fail("its reader was asked"))
    for kind, body in (
        (b"VP8X", b"\0\0\0\0" + b"\xfe\x3f\0" * 2),
        (b"VP8L", b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + b"\0" * 5),
        (b"VP8 ", b"\0\0\0\x9d\x01\x2a" + b"\xff\x3f" * 2),
    ):
        raw = b"RIFF\0\0\0\0WEBP" + kind + struct.pack("<I", len(body)) + body
        with pytest.raises(image_files.NoImageError, match="pixels"):
            opened(raw)


@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_webp_is_read_as_its_reader_reads_it(lossless):
    for image in (Image.new("RGB", (37, 21), "red"), Image.new("RGBA", (37, 21), (1, 2, 3, 4))):
        assert image_files._webp_size(file_of(image, "WEBP", lossless=lossless)) == (37, 21)


BROKEN = {
    "empty": (b"", "it is empty"),
    "text": (b"no image at all", "it is no JPEG, PNG"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is SVG, which is not read"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n", "it is PostScript"),
    "pdf": (b"%PDF-1.7\n", "it is PDF"),
    "cut off": (file_of(Image.effect_noise((64, 64), 90), "JPEG")[:700], "it is damaged"),
    "cut off png": (file_of(Image.effect_noise((64, 64), 90))[:700], "it is damaged"),
    "head alone": (file_of(plain("RGB", 0), "JPEG")[:4], "it is damaged"),
    "magic alone": (b"\x89PNG\r\n\x1a\n", "it is damaged"),
    "wrong bytes": (file_of(Image.effect_noise((64, 64), 90)).replace(b"IDAT", b"IDXT"), "it is damaged"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_said_and_black_and_the_others_are_read(tmp_path, kind):
    raw, why = BROKEN[kind]
    (tmp_path / "bad.jpg").write_bytes(raw)
    (tmp_path / "good.png").write_bytes(file_of(plain("RGB", (10, 200, 30))))
    found = decoded(pl.Series(["bad.jpg", "good.png"]), RGB, str(tmp_path))
    assert list(found.unread) == [0]
    assert str(found.unread[0]).startswith(why)
    assert "\n" not in found.unread[0]
    assert found.images[0].max() == 0
    assert far(found.images[1], (10, 200, 30)) == 0


def test_every_byte_of_a_file_may_be_wrong_and_nothing_falls_over():
    random = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"):
        whole = bytearray(file_of(Image.effect_noise((16, 16), 60).convert("RGB"), kind))
        cells = []
        for _ in range(60):
            raw = bytearray(whole)
            for at in random.integers(0, min(len(raw), 400), 4):
                raw[at] = random.integers(0, 256)
            cells.append(bytes(raw))
        found = decoded(pl.Series(cells, dtype=pl.Binary), RGB)
        assert all(str(why) for why in found.unread.values()), kind


def test_what_lies_where_an_image_should_is_said(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "there.jpg").write_bytes(file_of(plain("L", 9)))  # a PNG by another name
    (tmp_path / "link.jpg").symlink_to(tmp_path / "there.jpg")
    names = ["folder.jpg", "gone.jpg", "no.jpg", "http://x/y.jpg", "", None, "a\0b.jpg", "there.jpg", "link.jpg"]
    found = decoded(pl.Series(names), RGB, str(tmp_path)).unread
    assert [str(found.get(at, "read")) for at in range(len(names))] == [
        "it is a folder",
        "there is no such file",
        "there is no such file",
        "it is not on this machine: fetch it first",
        "there is no image",
        "there is no image",
        "there is no such file",
        "read",
        "read",
    ]


def test_a_pipe_holds_nothing_up(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.png")
    assert str(decoded(pl.Series(["pipe.png"]), RGB, str(tmp_path)).unread[0]) == "it is no file"


def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "MOST_BYTES", 100)
    (tmp_path / "a.bmp").write_bytes(b"BM" + b"\0" * 200)
    assert "202 bytes; at most 100" in decoded(pl.Series(["a.bmp"]), RGB, str(tmp_path)).unread[0]


def sizes(*each):
    return pl.Series([file_of(Image.new("RGB", size)) for size in each], dtype=pl.Binary)


@pytest.mark.parametrize(
    ("images", "form"),
    [
        (sizes((28, 28), (28, 28)), "28x28x3 crop"),
        (sizes(*[(48, 40)] * 18, (40, 40), (1, 1)), "40x48x3 crop"),  # a few odd ones have no say
        (sizes((60, 20), (60, 20)), "20x60x3 crop"),
        (sizes((640, 480), (500, 375), (375, 500)), "128x128x3 crop"),
        (sizes((50, 40), (44, 60)), "48x48x3 crop"),
        (sizes((300, 100), (330, 100), (280, 90)), "48x128x3 crop"),  # words and lines are long
        (sizes((100, 300), (100, 330)), "128x48x3 crop"),
        (pl.Series([file_of(Image.new("L", (28, 28)))], dtype=pl.Binary), "28x28x1 crop"),
        (pl.Series(np.zeros((3, 10, 12), np.uint8)), "10x12x1 crop"),
        (pl.Series(np.zeros((3, 10, 12, 4), np.uint8)), "10x12x3 crop"),
        (pl.Series([b"no", b"image"]), "32x32x3 crop"),
    ],
)
def test_the_form_is_chosen_by_the_images(images, form):
    assert str(form_of(images, None, "auto")) == form


def test_size_and_aspect_are_as_the_user_says():
    assert str(form_of(sizes((640, 480), (50, 40)), 64, "pad")) == "64x64x3 pad"
    assert str(form_of(sizes((28, 28)), 14, "stretch")) == "14x14x3 stretch"


def test_reasons_are_sentences():
    assert str(reason_of(MemoryError())) == "it does not fit into memory"
    assert str(reason_of(PermissionError(13, "Permission denied"))) == "it cannot be read: Permission denied"
    assert str(reason_of(ValueError("a\nb"))) == "it is damaged: a"
