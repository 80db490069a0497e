// Near-duplicates: kept and rejected by click and key.
"use strict";

(() => {
  const tiles = () => [...document.querySelectorAll(".near .tile")];
  if (tiles().length === 0) { return; }

  function show(tile, value) {
    tile.dataset.pick = value;
    tile.classList.toggle("picked", value > 0);
    tile.classList.toggle("rejected", value < 0);
    for (const button of tile.querySelectorAll("button[data-value]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.value) === value));
    }
  }

  function set(tile, value) {
    const before = Number(tile.dataset.pick);
    if (before === value) { return true; }
    if (!attune.mark(tile.dataset.id, "pick", value, () => show(tile, before))) { return false; }
    show(tile, value);
    return true;
  }

  function toggle(tile, value) { return set(tile, Number(tile.dataset.pick) === value ? 0 : value); }

  // One is kept, the others of its group go.
  function keepAlone(kept) {
    const group = [...kept.closest(".near").querySelectorAll(".tile")];
    for (const tile of group) { if (!set(tile, tile === kept ? 1 : -1)) { return; } }
    attune.say("Kept one, rejected " + (group.length - 1) + (group.length === 2 ? " other." : " others."));
  }

  document.getElementById("main").addEventListener("click", (event) => {
    const all = event.target.closest("button[data-keep]");
    if (all) { return keepAlone(all.closest(".near").querySelector(".tile")); }
    const button = event.target.closest(".tile button[data-value]");
    if (button) { toggle(button.closest(".tile"), Number(button.dataset.value)); }
  });

  function focus(tile) { if (tile) { tile.querySelector("a").focus(); } }

  // The tile above or below, by where they are drawn.
  function beside(tile, direction) {
    const own = tile.getBoundingClientRect();
    const distance = (other) => {
      const bounds = other.getBoundingClientRect();
      const down = direction * (bounds.top - own.top);
      return down < 4 ? Infinity : down * 4 + Math.abs(bounds.left - own.left);
    };
    const best = tiles().reduce((a, b) => distance(b) < distance(a) ? b : a);
    return distance(best) === Infinity ? null : best;
  }

  document.addEventListener("keydown", (event) => {
    if (attune.isTyping(event)) { return; }
    const all = tiles();
    const tile = event.target instanceof Element ? event.target.closest(".near .tile") : null;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!tile) { focus(all[0]); } else if (step) { focus(all[all.indexOf(tile) + step]); } else {
        focus(beside(tile, event.key === "ArrowDown" ? 1 : -1));
      }
      return;
    }
    if (!tile || event.target.tagName === "BUTTON" && event.key === " ") { return; }
    if (event.key === " ") {
      event.preventDefault();
      toggle(tile, 1);
    } else if (event.key === "x") {
      toggle(tile, -1);
    } else if (event.key === "k") {
      keepAlone(tile);
    }
  });
})();
