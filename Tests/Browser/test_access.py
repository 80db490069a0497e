"""Labels, contrast, focus and names: what accessibility checkers look at first."""

from __future__ import annotations

import pytest

from test_pages import addresses

# WCAG 2: every text against the background behind it, 4.5 to 1, or 3 to 1 where it is large.
CONTRAST = r"""
(() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
  const parse = (text) => { const m = text.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m.length > 3 ? m[3] : 1]; };
  const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat([1]);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) { layers.push(c); if (c[3] === 1) { break; } }
    }
    return layers.reverse().reduce((below, above) => over(above, below), [255, 255, 255, 1]);
  };
  const bad = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const field = element.matches('input:not([type=checkbox]):not([type=range]):not([type=hidden]), select');
    if (!own && !field) { continue; }
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) { continue; }
    if (element.closest('.hidden, .skip, script, style, dialog:not([open]), [aria-hidden=true], option, #toast, title')) { continue; }
    const style = getComputedStyle(element);
    const isSVG = element instanceof SVGElement;
    const ink = parse(isSVG ? style.fill : style.color);
    const back = behind(isSVG ? element.closest('svg').parentElement : element);
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) { opacity *= Number(getComputedStyle(e).opacity); }
    const shown = over([ink[0], ink[1], ink[2], ink[3] * opacity], back);
    const [a, b] = [light(shown), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) { bad.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}" ${ratio.toFixed(2)}`); }
  }
  return [...new Set(bad)];
})()
"""

NAMES = r"""
(() => {
  const bad = [];
  const seen = new Set();
  for (const e of document.querySelectorAll('[id]')) {
    if (seen.has(e.id)) { bad.push('two elements are called #' + e.id); }
    seen.add(e.id);
  }
  const named = (e) => (e.getAttribute('aria-label') || '').trim() || e.textContent.trim() || (e.title || '').trim() ||
    [...e.querySelectorAll('img[alt]')].some((i) => i.alt.trim());
  for (const e of document.querySelectorAll('img')) { if (!e.hasAttribute('alt') || !e.alt.trim()) { bad.push('img ' + e.src); } }
  for (const e of document.querySelectorAll('img')) { if (!e.getAttribute('width') || !e.getAttribute('height')) { bad.push('img without size ' + e.src); } }
  for (const e of document.querySelectorAll('a[href], button')) { if (!named(e)) { bad.push(e.outerHTML.slice(0, 120)); } }
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (!(e.labels && e.labels.length && [...e.labels].some((l) => l.textContent.trim())) && !e.getAttribute('aria-label')) { bad.push(e.outerHTML.slice(0, 120)); }
  }
  for (const e of document.querySelectorAll('svg[role=img]')) { if (!e.getAttribute('aria-label')) { bad.push('svg'); } }
  for (const e of document.querySelectorAll('table')) { if (!e.caption || !e.querySelector('th[scope]')) { bad.push('table'); } }
  if (!document.documentElement.lang) { bad.push('no language'); }
  if (!document.title.trim()) { bad.push('no title'); }
  if (document.querySelectorAll('main').length !== 1) { bad.push('main'); }
  let last = 1;
  for (const e of document.querySelectorAll('main h1, main h2, main h3')) {
    const level = Number(e.tagName[1]);
    if (level > last + 1) { bad.push('heading ' + e.tagName + ' after h' + last); }
    last = level;
  }
  for (const e of document.querySelectorAll('[aria-labelledby]')) { if (!document.getElementById(e.getAttribute('aria-labelledby'))) { bad.push(e.outerHTML.slice(0, 80)); } }
  return bad;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_contrast_and_names(corpus, serve, page, dark, width):
    server = serve(corpus, "--allow-edits")
    page.resize(width, 900, dark)
    for name, address in addresses(corpus).items():
        page.open(server.address + address)
        assert page.value(CONTRAST) == [], name
        assert page.value(NAMES) == [], name


def test_help_has_enough_contrast(reader, page):
    for dark in [False, True]:
        page.resize(1280, 900, dark)
        page.open(reader.address + "/")
        page.key("?")
        assert page.value(CONTRAST) == []


def test_everything_is_reached_by_tab_and_shows_the_focus(reader, page):
    page.open(reader.address + "/samples")
    names = []
    for _ in range(24):
        page.key("Tab")
        names.append(page.value("""(() => { const e = document.activeElement; const s = getComputedStyle(e);
            const r = e.getBoundingClientRect();
            const visible = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== 'none';
            return [e.tagName + (e.name || e.className || e.textContent.slice(0, 20)), visible, r.width > 0]; })()"""))
    assert names[0][0].startswith("Askip")
    assert all(visible and shown for _, visible, shown in names), names
    assert any("tile" in name for name, _, _ in names), names
