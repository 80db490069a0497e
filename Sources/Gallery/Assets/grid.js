// The grid: rows come from the server as one scrolls to them, and only those in sight are in the page.
"use strict";

(() => {
  const grid = document.getElementById("grid");
  if (!grid) { return; }
  const first = JSON.parse(grid.dataset.first);
  const grouped = grid.dataset.view === "prompts";
  const query = grid.dataset.query;
  const side = grid.dataset.side;
  const scoreName = grid.dataset.score;
  const total = first.total;
  if (total === 0) { return; }

  // Browsers lay out no more than some millions of pixels; beyond, a pixel of the scroll bar stands for several.
  const tallest = 8000000;
  const chunk = grouped ? 12 : 120;
  const keptChunks = 60;
  const gap = 12;
  const caption = 30;
  const border = 4;

  // Rows by their place: tiles, or groups of tiles.
  const rows = new Map();
  const chunks = new Map();
  let layout = null;
  let drawn = new Map();
  let current = null;
  let held = sessionStorage.getItem("attune.held");
  const picks = { picked: 0, rejected: 0 };

  function take(part) {
    const list = grouped ? part.groups : part.tiles;
    list.forEach((row, index) => rows.set(part.from + index, row));
  }

  function measure() {
    const tile = parseFloat(getComputedStyle(grid).getPropertyValue("--tile"));
    const width = grid.clientWidth;
    const columns = grouped ? 1 : Math.max(1, Math.floor((width + gap) / (tile + gap)));
    const column = grouped ? tile : (width - gap * (columns - 1)) / columns;
    // An image is square inside the tile's border; below it is the caption.
    const tileHeight = column - border + caption + border;
    const height = grouped ? 28 + tileHeight + 12 + 18 : tileHeight + gap;
    const lines = Math.ceil(total / columns);
    const whole = lines * height;
    layout = { tile, width, columns, column, height, tileHeight, lines, whole, shown: Math.min(whole, tallest) };
    grid.style.height = layout.shown + "px";
  }

  // How far the grid's top is above the window's, in pixels of the whole.
  function offset() {
    const top = -grid.getBoundingClientRect().top;
    if (layout.whole === layout.shown) { return { top, shift: 0 }; }
    const scrollable = Math.max(1, layout.shown - innerHeight);
    const scaled = Math.min(1, Math.max(0, top / scrollable)) * (layout.whole - innerHeight);
    return { top: scaled, shift: top - scaled };
  }

  function load(place) {
    const start = Math.floor(place / chunk) * chunk;
    if (chunks.has(start)) { return; }
    const request = fetch("/api/samples?" + query + "&from=" + start + "&count=" + chunk)
      .then(async (response) => {
        const value = await response.json();
        if (!response.ok) { throw new Error(value.error); }
        take(value);
        draw();
      })
      .catch((error) => {
        chunks.delete(start);
        attune.say("Samples could not be loaded: " + error.message);
      });
    chunks.set(start, request);
    if (chunks.size > keptChunks) {
      const oldest = chunks.keys().next().value;
      chunks.delete(oldest);
      for (let row = oldest; row < oldest + chunk; row++) { if (!drawn.has(row)) { rows.delete(row); } }
    }
  }

  function text(name, content, className) {
    const element = document.createElement(name);
    element.textContent = content;
    if (className) { element.className = className; }
    return element;
  }

  function number(value) {
    if (value === null || value === undefined) { return "–"; }
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) { return value.toExponential(2); }
    return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  }

  function makeTile(sample, place) {
    const tile = document.createElement("a");
    tile.href = "/samples/" + sample.id;
    tile.dataset.id = sample.id;
    const image = document.createElement("img");
    image.width = Math.max(sample.width, 1);
    image.height = Math.max(sample.height, 1);
    image.alt = sample.prompt.length > 300 ? sample.prompt.slice(0, 300) + "…" : sample.prompt;
    image.decoding = "async";
    if (Math.max(sample.width, sample.height) <= 96) { image.className = "tiny"; }
    image.src = "/tiles/" + sample.id + "?side=" + side;
    const line = text("span", "", "caption");
    line.append(text("span", number(sample.score), "score"), text("span", "", "marks"));
    tile.append(image, line);
    tile.place = place;
    tile.sample = sample;
    dress(tile);
    return tile;
  }

  // What a tile shows of its sample's marks.
  function dress(tile) {
    const sample = tile.sample;
    tile.className = "tile" + (sample.is_chosen ? " chosen" : "") + (sample.pick > 0 ? " picked" : "") +
      (sample.pick < 0 ? " rejected" : "") + (sample.id === held ? " held" : "");
    const marks = tile.querySelector(".marks");
    marks.textContent = "★".repeat(sample.stars);
    if (sample.tags.length > 0) { marks.prepend(text("b", "#" + sample.tags.length + " ")); }
    if (sample.pick !== 0) { marks.prepend(text("b", sample.pick > 0 ? "✓ " : "✕ ")); }
    const words = [];
    if (scoreName && sample.score !== null && sample.score !== undefined) { words.push(scoreName + " " + number(sample.score)); }
    if (sample.stars > 0) { words.push(sample.stars + (sample.stars === 1 ? " star" : " stars")); }
    if (sample.pick !== 0) { words.push(sample.pick > 0 ? "picked" : "rejected"); }
    if (sample.is_chosen) { words.push("in the marked selection"); }
    if (sample.tags.length > 0) { words.push("tagged " + sample.tags.join(", ")); }
    tile.setAttribute("aria-label", [tile.querySelector("img").alt, "seed " + sample.seed].concat(words).join(", "));
    tile.title = sample.prompt.slice(0, 300) + (words.length ? "\n" + words.join(", ") : "");
  }

  function makeGroup(group, line) {
    const section = document.createElement("section");
    section.className = "group";
    const heading = document.createElement("h2");
    const link = text("a", group.prompt);
    const address = new URLSearchParams(query);
    address.set("prompt", group.prompt);
    address.set("view", "all");
    link.href = "/samples?" + address;
    heading.append(link, text("span", group.total + (group.total === 1 ? " sample" : " samples")));
    const strip = text("div", "", "strip");
    // The tiles in sight, and one more, so that the strip can be scrolled; the others come when it is.
    let made = 0;
    const extend = (count) => {
      for (; made < Math.min(count, group.tiles.length); made++) { strip.append(makeTile(group.tiles[made], { line, index: made })); }
      if (made === group.tiles.length && !strip.whole) {
        strip.whole = true;
        if (group.total > group.tiles.length) {
          const more = text("a", "all " + group.total, "button");
          more.href = link.href;
          strip.append(more);
        }
      }
    };
    extend(Math.ceil(layout.width / (layout.tile + gap)) + 1);
    section.whole = () => extend(group.tiles.length);
    strip.addEventListener("scroll", section.whole, { passive: true, once: true });
    section.append(heading, strip);
    return section;
  }

  function place(element, line, column, shift) {
    const left = grouped ? 0 : column * (layout.column + gap);
    element.style.transform = "translate(" + left + "px," + (line * layout.height + shift) + "px)";
    if (!grouped) { element.style.width = layout.column + "px"; }
  }

  function draw() {
    const { top, shift } = offset();
    const over = grouped ? 2 : 3;
    const from = Math.max(0, Math.floor(top / layout.height) - over);
    const to = Math.min(layout.lines, Math.ceil((top + innerHeight) / layout.height) + over);
    const wanted = new Map();
    for (let line = from; line < to; line++) {
      for (let column = 0; column < layout.columns; column++) {
        const index = line * layout.columns + column;
        if (index >= total) { break; }
        const row = rows.get(index);
        if (!row) {
          load(index);
          continue;
        }
        const element = drawn.get(index) || (grouped ? makeGroup(row, index) : makeTile(row, { line: index, index: 0 }));
        place(element, line, column, shift);
        wanted.set(index, element);
      }
    }
    for (const [index, element] of drawn) {
      // What has the focus stays, or the keys would be lost.
      if (!wanted.has(index)) {
        if (element.contains(document.activeElement)) { wanted.set(index, element); } else { element.remove(); }
      }
    }
    const sorted = [...wanted.entries()].sort((a, b) => a[0] - b[0]);
    let previous = null;
    for (const [, element] of sorted) {
      const next = previous ? previous.nextSibling : grid.firstChild;
      if (next !== element) { grid.insertBefore(element, next); }
      previous = element;
    }
    drawn = new Map(sorted);
  }

  function tiles(line) {
    const element = drawn.get(line);
    if (!element) { return []; }
    if (!grouped) { return [element]; }
    element.whole();
    return [...element.querySelectorAll(".tile")];
  }

  function reveal(line) {
    const y = Math.floor(line / layout.columns) * layout.height;
    const { top } = offset();
    const header = document.querySelector("header.top").offsetHeight + 8;
    const bottom = innerHeight - layout.height - 90;
    if (y >= top + header && y <= top + bottom) { return; }
    const target = y < top + header ? y - header : y - Math.max(header, bottom);
    const start = scrollY + grid.getBoundingClientRect().top;
    const scaled = layout.whole === layout.shown ? target
      : target / Math.max(1, layout.whole - innerHeight) * Math.max(1, layout.shown - innerHeight);
    scrollTo({ top: start + scaled, behavior: "instant" });
    draw();
  }

  async function focus(line, index) {
    if (line < 0 || line >= total) { return; }
    reveal(line);
    if (!rows.has(line)) {
      load(line);
      await chunks.get(Math.floor(line / chunk) * chunk);
      draw();
    }
    const found = tiles(line);
    const tile = found[Math.min(index, found.length - 1)];
    if (tile) {
      tile.focus({ preventScroll: !grouped });
      current = { line, index };
    }
  }

  function move(tile, key) {
    const at = tile.place;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (grouped) {
      if (step) {
        const count = tiles(at.line).length;
        if (at.index + step >= count) { return focus(at.line + 1, 0); }
        if (at.index + step < 0) { return at.line > 0 ? focus(at.line - 1, 1e9) : undefined; }
        return focus(at.line, at.index + step);
      }
      return focus(at.line + (key === "ArrowDown" ? 1 : -1), at.index);
    }
    return focus(at.line + (step || (key === "ArrowDown" ? layout.columns : -layout.columns)), 0);
  }

  // Notes a mark at once, and takes it back where the server refuses.
  function set(tile, name, field, value) {
    const sample = tile.sample;
    const before = sample[field];
    const show = (now) => {
      sample[field] = now;
      for (const other of grid.querySelectorAll(".tile")) { if (other.sample === sample || other.dataset.id === sample.id) { other.sample[field] = now; dress(other); } }
      count();
    };
    if (attune.mark(sample.id, name, value, () => show(before))) { show(value); }
  }

  function count() {
    const label = document.getElementById("pick-count");
    if (!label) { return; }
    let [picked, rejected] = [0, 0];
    for (const row of rows.values()) {
      for (const sample of grouped ? row.tiles : [row]) {
        if (sample.pick > 0) { picked++; } else if (sample.pick < 0) { rejected++; }
      }
    }
    label.textContent = picked + rejected === 0 ? "Space picks, x rejects, 1–5 give stars"
      : picked + " picked, " + rejected + " rejected in sight";
  }

  function tag(tile) {
    if (!attune.mayEdit) { return attune.mark(tile.sample.id, "", 0); }
    const name = prompt("Tag (a–z, 0–9, _); a tag that the sample has is taken away", tile.sample.tags[0] || "");
    if (!name) { return; }
    if (!/^[a-z0-9_]{1,60}$/.test(name)) { return attune.say("A tag has a–z, 0–9 and _ only."); }
    const has = tile.sample.tags.includes(name);
    const before = tile.sample.tags;
    const after = has ? before.filter((each) => each !== name) : [...before, name].sort();
    const show = (tags) => { tile.sample.tags = tags; dress(tile); };
    if (attune.mark(tile.sample.id, "tag_" + name, has ? 0 : 1, () => show(before))) { show(after); }
  }

  function hold(tile) {
    const id = tile.sample.id;
    if (held && held !== id) {
      sessionStorage.removeItem("attune.held");
      location.href = "/compare?a=" + held + "&b=" + id;
      return;
    }
    held = held === id ? null : id;
    if (held) {
      sessionStorage.setItem("attune.held", held);
      attune.say("Held for comparing: press c on another sample.");
    } else {
      sessionStorage.removeItem("attune.held");
    }
    for (const other of grid.querySelectorAll(".tile")) { dress(other); }
  }

  document.addEventListener("keydown", (event) => {
    if (attune.isTyping(event)) { return; }
    const tile = event.target instanceof Element ? event.target.closest("#grid .tile") : null;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      if (tile) { move(tile, event.key); } else { focus(current ? current.line : topLine(), current ? current.index : 0); }
      return;
    }
    if (!tile) { return; }
    if (event.key === " ") {
      event.preventDefault();
      set(tile, "pick", "pick", tile.sample.pick > 0 ? 0 : 1);
    } else if (event.key === "x") {
      set(tile, "pick", "pick", tile.sample.pick < 0 ? 0 : -1);
    } else if (/^[0-5]$/.test(event.key)) {
      set(tile, "stars", "stars", Number(event.key));
    } else if (event.key === "t") {
      event.preventDefault();
      tag(tile);
    } else if (event.key === "c") {
      hold(tile);
    }
  });

  function topLine() {
    return Math.min(total - 1, Math.max(0, Math.ceil(offset().top / layout.height)) * layout.columns);
  }

  grid.addEventListener("focusin", (event) => {
    const tile = event.target.closest(".tile");
    if (tile && tile.place) { current = tile.place; }
  });

  // A form of picks goes after the picks themselves.
  const form = document.getElementById("picks");
  if (form) {
    form.addEventListener("submit", async (event) => {
      if (form.dataset.sent === "yes") { return; }
      event.preventDefault();
      const button = event.submitter;
      await attune.flush();
      // Not within this event: a form that is being submitted takes no other submission.
      setTimeout(() => {
        form.dataset.sent = "yes";
        form.requestSubmit(button);
      });
    });
    addEventListener("pageshow", () => { delete form.dataset.sent; });
  }

  take(first);
  // The first rows are those of the page: they need not be asked for unless the chunk is larger.
  if (rows.size >= Math.min(chunk, total)) { chunks.set(0, Promise.resolve()); }
  grid.replaceChildren();
  grid.classList.add("live");
  measure();
  draw();
  count();
  attune.onMarked(count);

  let asked = false;
  function later() {
    if (asked) { return; }
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }
  addEventListener("scroll", later, { passive: true });
  new ResizeObserver(() => {
    if (layout.width === grid.clientWidth) { return; }
    const line = topLine();
    measure();
    draw();
    if (scrollY > 0) { reveal(line); }
  }).observe(grid);
})();
