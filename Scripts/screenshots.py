"""The pages that README shows, of the corpus that make demo has made: docs/candidates.png and docs/gallery.png.

    screenshots.py [CORPUS]     (default: demo/corpus); needs make gallery and Scripts/setup.sh browser
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Browser"))
from devtools import Browser  # noqa: E402

# A palette of 128 colors is hardly seen, and is a fifth of the size.
from PIL import Image  # noqa: E402


def main() -> None:
    corpus = sys.argv[1] if len(sys.argv) > 1 else str(REPOSITORY / "demo" / "corpus")
    server = subprocess.Popen(
        [str(REPOSITORY / ".build/release/attune"), "serve", "--corpus", corpus, "--port", "0"],
        stdout=subprocess.PIPE, text=True)
    browser = Browser()
    try:
        address = re.search(r"http://\S+:\d+", server.stdout.readline())[0]
        page = browser.page(1280, 800)
        for name, path in {"candidates": "/samples?mark=best&size=small", "gallery": "/"}.items():
            page.open(address + path)
            page.wait("[...document.images].every(i => i.complete || i.loading === 'lazy')", "images")
            place = REPOSITORY / "docs" / f"{name}.png"
            page.screenshot(place)
            Image.open(place).convert("RGB").quantize(128).save(place, optimize=True)
            print(place)
    finally:
        browser.close()
        server.terminate()


main()
