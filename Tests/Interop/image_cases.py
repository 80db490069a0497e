"""Image files of every kind that Attune reads, and what Pillow shows of them.

    image_cases.py make FOLDER             writes them, with their names as captions
    image_cases.py check FOLDER EXPORT     compares an imagefolder export of them; prints how many agree
"""
import io
import json
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

W, H = 13, 9
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, depth):
    """Samples [h, w, c] as the scan lines of a pass, filter 0."""
    out = b""
    for row in rows.reshape(rows.shape[0], -1):
        if depth == 16:
            line = row.astype(">u2").tobytes()
        elif depth == 8:
            line = row.astype("u1").tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        out += b"\0" + line
    return out


def png(samples, color, depth, interlaced=False, before=(), after=(), palette=None, trns=None):
    h, w = samples.shape[:2]
    data = packed(samples, depth)
    if interlaced:
        data = b"".join(packed(p, depth) for x, y, dx, dy in ADAM7 if (p := samples[y::dy, x::dx]).size)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlaced))
    for kind, content in before:
        out += chunk(kind, content)
    if palette is not None:
        out += chunk(b"PLTE", palette.astype("u1").tobytes())
    if trns is not None:
        out += chunk(b"tRNS", trns)
    out += chunk(b"IDAT", zlib.compress(data))
    for kind, content in after:
        out += chunk(kind, content)
    return out + chunk(b"IEND", b"")


def over_white(rgb, alpha):
    """8-bit values, composed as Pillow's alpha_composite does."""
    rgba = np.concatenate([rgb, alpha[..., None]], axis=-1).astype("u1")
    image = Image.fromarray(rgba, "RGBA")
    return np.array(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image))[..., :3]


def expected_png(samples, color, depth, palette, trns):
    """By the PNG specification; Pillow agrees where it reads the kind without loss (see `pillow`)."""
    top = (1 << depth) - 1
    eight = np.rint(samples * (255 / top)).astype(int)
    opaque = np.full(samples.shape[:2], 255)
    if color == 3:
        index = samples[..., 0]
        alpha = np.array([*(trns or b""), *([255] * 256)])[index]
        return over_white(palette[index], alpha)
    rgb = np.repeat(eight[..., :1], 3, axis=-1) if color in (0, 4) else eight[..., :3]
    if color in (4, 6):
        return over_white(rgb, eight[..., -1])
    if trns is not None:
        key = np.frombuffer(trns, ">u2")
        return over_white(rgb, np.where((samples == key).all(axis=-1), 0, opaque))
    return rgb


def exif(value, order=">", kind=3, repeat=1):
    """A TIFF file with the orientation tag alone."""
    content = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I", 6: "b3x", 8: "h2x", 9: "i"}[kind], value)
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IHHHI", 8, 1, 0x112, kind, repeat) + content + bytes(4)


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'
XMP_ELEMENT = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>%d</tiff:Orientation></x:xmpmeta>'


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def cases():
    """Names, file endings, bytes, and the right pixels, or None where Pillow tells them."""
    random = np.random.default_rng(7)
    for color, depths in DEPTHS.items():
        for depth in depths:
            samples = random.integers(0, 1 << depth, (H, W, CHANNELS[color]))
            palette = random.integers(0, 256, (1 << depth, 3)) if color == 3 else None
            keys = {0: samples[2, 3], 2: samples[2, 3]}
            for interlaced in (False, True):
                for has_key in (False, True) if color in (0, 2, 3) else (False,):
                    trns = None
                    if has_key:
                        trns = bytes(random.integers(0, 256, 1 << depth).astype("u1")) if color == 3 else keys[color].astype(">u2").tobytes()
                    name = f"png color {color} depth {depth}" + " interlaced" * interlaced + " tRNS" * has_key
                    yield (name, "png", png(samples, color, depth, interlaced, palette=palette, trns=trns),
                           expected_png(samples, color, depth, palette, trns))
    rgb = random.integers(0, 256, (H, W, 3))
    rgba = random.integers(0, 256, (H, W, 4))
    for alpha in range(0, 256, 15):
        values = np.concatenate([rgb, np.full((H, W, 1), alpha)], axis=-1)
        yield f"alpha {alpha}", "png", png(values, 6, 8), None
    for chunks, name in [
        ([(b"sRGB", b"\0")], "sRGB"), ([(b"gAMA", struct.pack(">I", 45455))], "gAMA 45455"),
        ([(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))], "cHRM"),
        ([(b"gAMA", struct.pack(">I", 45455)), (b"sRGB", b"\0")], "gAMA and sRGB"),
        ([(b"gAMA", struct.pack(">I", 100000)), (b"sRGB", b"\0")], "gAMA 1.0 overridden by sRGB"),
        ([(b"bKGD", struct.pack(">3H", 255, 0, 0))], "bKGD"), ([(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))], "pHYs"),
        ([(b"tEXt", b"Comment\0hello")], "tEXt"), ([(b"zTXt", b"Comment\0\0" + zlib.compress(b"hello"))], "zTXt"),
    ]:
        yield "png " + name, "png", png(rgb, 2, 8, before=chunks), rgb
        yield "png alpha " + name, "png", png(rgba, 6, 8, before=chunks), None
    buffer = io.BytesIO()
    Image.fromarray(rgb.astype("u1")).save(buffer, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes())
    yield "png iCCP", "png", buffer.getvalue(), rgb

    for value in range(0, 10):
        for order, kind in [(">", 3), ("<", 3), (">", 4), ("<", 4), (">", 8), ("<", 9), (">", 6)]:
            yield f"png eXIf {value} {order}{kind}", "png", png(rgb, 2, 8, before=[(b"eXIf", exif(value, order, kind))]), None
        yield f"png eXIf after {value}", "png", png(rgb, 2, 8, after=[(b"eXIf", exif(value))]), None
        yield f"png eXIf alpha {value}", "png", png(rgba, 6, 8, True, before=[(b"eXIf", exif(value))]), None
        block = b"Exif\0\0" + exif(value)
        raw = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
        yield f"png raw profile {value}", "png", png(rgb, 2, 8, before=[(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))]), None
        yield f"png raw profile text {value}", "png", png(rgb, 2, 8, before=[(b"tEXt", b"Raw profile type exif\0" + raw)]), None
        for form in (XMP, XMP_ELEMENT):
            itxt = b"XML:com.adobe.xmp\0\0\0\0\0" + (form % value).encode()
            yield f"png XMP {value} {form is XMP}", "png", png(rgb, 2, 8, before=[(b"iTXt", itxt)]), None
        packed_xmp = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress((XMP % value).encode())
        yield f"png packed XMP {value}", "png", png(rgb, 2, 8, before=[(b"iTXt", packed_xmp)]), None

    smooth = np.add.outer(np.arange(H) * 9, np.arange(W) * 11)[..., None] + np.array([0, 20, 40])
    for progressive in (False, True):
        buffer = io.BytesIO()
        Image.fromarray(smooth.astype("u1")).save(buffer, "JPEG", quality=95, progressive=progressive)
        plain = buffer.getvalue()
        kind = "progressive jpeg" if progressive else "jpeg"
        yield kind, "jpg", plain, None
        # Behind JFIF's own segment.
        end = 4 + struct.unpack(">H", plain[4:6])[0]
        for value in range(0, 10):
            for order, tag in [(">", 3), ("<", 3), (">", 4), ("<", 4), ("<", 8), (">", 9)]:
                app1 = segment(0xE1, b"Exif\0\0" + exif(value, order, tag))
                yield f"{kind} exif first {value} {order}{tag}", "jpg", plain[:2] + app1 + plain[2:], None
                yield f"{kind} exif after JFIF {value} {order}{tag}", "jpg", plain[:end] + app1 + plain[end:], None
            for fill in (1, 5):
                yield f"{kind} {fill} fill bytes {value}", "jpg", plain[:2] + b"\xff" * fill + app1 + plain[2:], None
            for stray in (b"\0\0", b"ab", b"\xff\0x"):
                yield f"{kind} stray {stray.hex()} {value}", "jpg", plain[:end] + stray + app1 + plain[end:], None
            yield f"{kind} exif twice {value}", "jpg", plain[:2] + app1 + segment(0xE1, b"Exif\0\0" + exif(3)) + plain[2:], None
            yield f"{kind} comment first {value}", "jpg", plain[:2] + segment(0xFE, b"hello") + app1 + plain[2:], None
            xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + (XMP % value).encode())
            yield f"{kind} XMP {value}", "jpg", plain[:2] + xmp + plain[2:], None
            yield f"{kind} XMP and exif {value}", "jpg", plain[:2] + xmp + segment(0xE1, b"Exif\0\0" + exif(8)) + plain[2:], None
        yield f"{kind} stray before the end", "jpg", plain[:-2] + b"\0\1\2" + plain[-2:], None
        yield f"{kind} trailing bytes", "jpg", plain + b"trailing", None
        yield f"{kind} called png", "png", plain, None
    buffer = io.BytesIO()
    Image.fromarray(smooth[..., 0].astype("u1")).save(buffer, "JPEG", quality=95)
    yield "gray jpeg", "jpeg", buffer.getvalue(), None
    for subsampling in (0, 1, 2):
        buffer = io.BytesIO()
        Image.fromarray(smooth.astype("u1")).save(buffer, "JPEG", quality=95, subsampling=subsampling)
        yield f"jpeg subsampling {subsampling}", "jpe", buffer.getvalue(), None

    for lossless in (False, True):
        for values in (smooth.astype("u1"), rgba.astype("u1")):
            for value in range(0, 10):
                buffer = io.BytesIO()
                Image.fromarray(values).save(buffer, "WEBP", lossless=lossless, quality=95, exact=True, exif=exif(value) if value else b"")
                yield f"webp lossless {lossless} {values.shape[2]} {value}", "webp", buffer.getvalue(), None
            buffer = io.BytesIO()
            Image.fromarray(values).save(buffer, "WEBP", lossless=lossless, quality=95, xmp=(XMP % 6).encode())
            yield f"webp XMP lossless {lossless} {values.shape[2]}", "webp", buffer.getvalue(), None
    yield "webp called jpg", "jpg", buffer.getvalue(), None


def pillow(data):
    """What Pillow shows, upright and over white."""
    image = Image.open(io.BytesIO(data))
    image.load()
    image = ImageOps.exif_transpose(image)
    return np.array(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")))[..., :3]


def make(folder):
    os.makedirs(folder)
    expected = {}
    for index, (name, ending, data, pixels) in enumerate(cases()):
        stem = os.path.join(folder, f"{index:04d}")
        with open(f"{stem}.{ending}", "wb") as f:
            f.write(data)
        with open(stem + ".txt", "w") as f:
            f.write(name)
        if pixels is None:
            pixels = pillow(data)
        expected[name] = np.asarray(pixels).tolist()
    with open(os.path.join(folder, ".expected.json"), "w") as f:
        json.dump(expected, f)
    print(len(expected))


def check(folder, export):
    with open(os.path.join(folder, ".expected.json")) as f:
        expected = json.load(f)
    agree, wrong = 0, []
    with open(os.path.join(export, "train/metadata.jsonl")) as f:
        for line in f:
            row = json.loads(line)
            want = np.array(expected.pop(row["text"]))
            got = np.array(Image.open(os.path.join(export, "train", row["file_name"])).convert("RGB")).astype(int)
            # Two JPEG or WebP decoders may round chroma apart.
            slack = 3 if "jpeg" in row["text"] or "webp" in row["text"] else 0
            if got.shape == want.shape and abs(got - want).max() <= slack:
                agree += 1
            else:
                wrong.append(f"{row['text']}: {got.shape} {want.shape}" if got.shape != want.shape else
                             f"{row['text']}: {abs(got - want).max()} off")
    wrong += [f"{name}: missing" for name in expected]
    for line in wrong[:40]:
        print(line, file=sys.stderr)
    print(agree)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
