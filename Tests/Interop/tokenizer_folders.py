"""Tokenizer folders of every age and texts of every kind, with the ids that transformers gives: for adapter_interop.py."""
import json, pathlib, random, shutil, unicodedata
from transformers import CLIPTokenizer

TINY = pathlib.Path(__file__).resolve().parents[2] / "datasets" / "tiny-sd" / "tokenizer"


def token(content, **more):
    return dict(dict(content=content, lstrip=False, rstrip=False, normalized=True, single_word=False), **more)


def folders(work):
    settings = {"model_max_length": 24, "tokenizer_class": "CLIPTokenizer"}
    special = {"bos_token": token("<|startoftext|>"), "eos_token": token("<|endoftext|>"), "unk_token": token("<|endoftext|>")}
    older = ["vocab.json", "merges.txt"]
    fast = json.loads((TINY / "tokenizer.json").read_text())
    taught = json.loads(json.dumps(fast))
    taught["added_tokens"].append(dict(id=630, **token("<Cat-Toy>", special=False)))
    texts = json.loads(json.dumps(fast))
    texts["model"]["merges"] = [" ".join(m) for m in texts["model"]["merges"]]
    decoder = {"628": token("<|startoftext|>", special=True), "629": token("<|endoftext|>", special=True, normalized=False),
               "630": token("<cat-toy>", special=False), "631": token("Dog", special=False, single_word=True),
               "632": token("rr", special=False, normalized=False, rstrip=True), "633": token("<cat-toy> hat", special=False, lstrip=True)}
    for name, kept, files in [
        ("bundled", ["vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"], {}),
        ("new", ["tokenizer.json", "tokenizer_config.json"], {}),
        ("new-bare", ["tokenizer.json"], {"tokenizer_config.json": settings}),
        ("merges-as-texts", [], {"tokenizer.json": texts, "tokenizer_config.json": settings}),
        ("old", older, {"tokenizer_config.json": settings, "special_tokens_map.json": dict(special, pad_token="<|endoftext|>")}),
        ("old-sd2", older, {"tokenizer_config.json": settings, "special_tokens_map.json": dict(special, pad_token="!")}),
        ("inversion-old", older, {"tokenizer_config.json": settings, "added_tokens.json": {"<My-Dog>": 631, "<cat-toy>": 630}}),
        ("inversion-new", [], {"tokenizer.json": taught, "tokenizer_config.json": settings}),
        ("inversion-beside", older, {"tokenizer.json": taught, "tokenizer_config.json": settings}),
        ("decoder", older, {"tokenizer_config.json": dict(settings, pad_token="!", added_tokens_decoder=decoder)}),
    ]:
        folder = work / name
        shutil.rmtree(folder, ignore_errors=True); folder.mkdir(parents=True)
        for file in kept: shutil.copy(TINY / file, folder)
        for file, content in files.items(): (folder / file).write_text(json.dumps(content))
        yield folder


def texts(count=3000):
    """Words, capitals, marks, special tokens in all spellings, and characters of 20 Unicode ranges."""
    draw = random.Random(11)
    words = ["red", "Circle", "three", "STARS", "a", "don't", "it's", "word", "Dog", "dogs", "rr", "arr", "<cat-toy>", "<CAT-TOY>", "<cat-toy>hat",
             "<cat-toy> hat", "<My-Dog>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|startoftext|>", "<|StartOfText|>", "!", "!!", "...", "#1", "3D", "½", "é", "e\u0301",
             "\u00a0", "\u3000", "\t", "\n", "_", "日本", "🙂", "İ", "ß", "Σ", "ﬁ", "\u200d", "'ll", "'S", "|>", "<|"]
    ranges = [(0x20, 0x7e), (0xa0, 0x17f), (0x250, 0x2af), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x4ff), (0x590, 0x5ff), (0x600, 0x6ff),
              (0x900, 0x97f), (0xe00, 0xe7f), (0x1100, 0x11ff), (0x1e00, 0x1fff), (0x2000, 0x206f), (0x2100, 0x218f), (0x2460, 0x24ff),
              (0x3040, 0x30ff), (0x4e00, 0x4eff), (0xac00, 0xacff), (0xff00, 0xffef), (0x1f300, 0x1f6ff)]
    out = ["", " ", "a" * 400, " ".join(["red"] * 60)]
    while len(out) < count:
        parts = []
        for _ in range(draw.randint(1, 7)):
            if draw.random() < 0.6: parts.append(draw.choice(words))
            else:
                low, high = draw.choice(ranges)
                parts.append("".join(chr(draw.randint(low, high)) for _ in range(draw.randint(1, 4))))
        text = draw.choice(["", " ", "  "]).join(parts)
        if all(unicodedata.category(c) != "Cn" for c in text): out.append(text)
    return out


def write_cases(work):
    made, all_texts = [], texts()
    for folder in folders(work):
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        ids = [tokenizer(t, padding="max_length", max_length=24, truncation=True).input_ids for t in all_texts]
        made.append(dict(folder=str(folder), texts=all_texts, ids=ids))
    (work / "cases.json").write_text(json.dumps(made))
