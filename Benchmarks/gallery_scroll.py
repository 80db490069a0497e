"""Scrolls through a grid of the gallery in headless Chromium and says how smooth that was.

    gallery_scroll.py ADDRESS     as attune serve printed it; started by gallery.sh
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "Browser"))
from devtools import Browser  # noqa: E402

# Scrolls like a wheel that does not stop, then jumps to places far apart.
SCROLL = """
(async () => {
  const frame = () => new Promise(done => requestAnimationFrame(done));
  const times = [];
  let last = await frame();
  for (let i = 0; i < 600; i++) {
    scrollBy({ top: 160, behavior: 'instant' });
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  let most = 0;
  const waits = [];
  for (let i = 1; i <= 20; i++) {
    const begin = performance.now();
    scrollTo({ top: document.documentElement.scrollHeight * i / 21, behavior: 'instant' });
    for (;;) {
      await frame();
      const shown = [...document.querySelectorAll('#grid .tile')].some(t => {
        const r = t.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; });
      if (shown) { break; }
    }
    waits.push(performance.now() - begin);
    most = Math.max(most, document.querySelectorAll('#grid *').length);
  }
  const sorted = (list) => list.slice().sort((a, b) => a - b);
  const [t, w] = [sorted(times), sorted(waits)];
  return { median: t[t.length / 2 | 0], late: t[t.length * 0.95 | 0], worst: t[t.length - 1], slow: times.filter(x => x > 50).length,
           jump: w[w.length / 2 | 0], furthest: w[w.length - 1], elements: most };
})()
"""


def main() -> None:
    address = sys.argv[1].rstrip("/")
    browser = Browser()
    try:
        page = browser.page()
        for name, path in {"one after the other": "/samples?view=all", "by prompt": "/samples"}.items():
            page.open(address + path)
            found = page.value(SCROLL)
            print(f"{'scrolling, ' + name:44s} frame {found['median']:.0f} ms, 95 % within {found['late']:.0f} ms, "
                  f"worst {found['worst']:.0f} ms, {found['slow']} of 600 over 50 ms")
            print(f"{'  a jump far away, until tiles are there':44s} {found['jump']:.0f} ms, worst {found['furthest']:.0f} ms; "
                  f"{found['elements']} elements at most")
            assert not page.problems, page.problems[:3]
    finally:
        browser.close()


main()
