// The map: points on a canvas, an area drawn by mouse or by keys. The page's address has the area; the server knows what is
// in it.
"use strict";

(() => {
  const box = document.getElementById("map");
  if (!box) { return; }
  const points = document.getElementById("map-points");
  const area = document.getElementById("map-area");
  const ticks = document.getElementById("map-ticks");
  const hint = document.getElementById("map-hint");
  const pair = (text) => text.split(" ").map(Number);
  const [ramp, texts] = [box.dataset.ramp.split(" "), box.dataset.texts.split(" ")];
  const missing = box.dataset.missing;
  const kind = box.dataset.kind;
  const margin = { left: 58, right: 12, top: 10, bottom: 30 };

  // A little more than the points take; one value alone gets something around it.
  function padded([low, high]) {
    const room = high > low ? (high - low) * 0.04 : Math.max(Math.abs(low) * 0.5, 1);
    return [low - room, high + room];
  }
  const [xs, ys, range] = [padded(pair(box.dataset.x)), padded(pair(box.dataset.y)), pair(box.dataset.range)];
  const parsed = box.dataset.lasso ? box.dataset.lasso.split("~").map((corner) => corner.split(",").map(Number)) : [];

  let data = null;
  let size = { width: 0, height: 0 };
  const across = (x) => margin.left + (x - xs[0]) / (xs[1] - xs[0]) * (size.width - margin.left - margin.right);
  const down = (y) => size.height - margin.bottom - (y - ys[0]) / (ys[1] - ys[0]) * (size.height - margin.top - margin.bottom);
  const unplace = (px, py) => [
    xs[0] + (px - margin.left) / (size.width - margin.left - margin.right) * (xs[1] - xs[0]),
    ys[0] + (size.height - margin.bottom - py) / (size.height - margin.top - margin.bottom) * (ys[1] - ys[0])];

  // Numbers get one of so many colors between those of the ramp: points of one color are drawn together.
  const levels = 48;
  const mixed = Array.from({ length: levels }, (_, level) => {
    const place = level / (levels - 1) * (ramp.length - 1);
    const [from, to] = [ramp[Math.floor(place)], ramp[Math.min(Math.floor(place) + 1, ramp.length - 1)]];
    const part = (color, index) => parseInt(color.slice(1 + 2 * index, 3 + 2 * index), 16);
    const mix = [0, 1, 2].map((index) => Math.round(part(from, index) + (part(to, index) - part(from, index)) * (place % 1)));
    return "rgb(" + mix.join(" ") + ")";
  });

  function colorOf(value) {
    if (kind === "none") { return texts[0]; }
    if (kind === "texts") { return value < texts.length ? texts[value] : missing; }
    if (Number.isNaN(value)) { return missing; }
    const share = range[1] > range[0] ? (value - range[0]) / (range[1] - range[0]) : 0.5;
    return mixed[Math.min(levels - 1, Math.max(0, Math.floor(share * levels)))];
  }

  function isInside(corners, x, y) {
    let inside = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [a, b] = [corners[i], corners[j]];
      if ((a[1] > y) !== (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]) { inside = !inside; }
    }
    return inside;
  }

  function fit(canvas) {
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(size.width * scale);
    canvas.height = Math.round(size.height * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    return context;
  }

  // 1, 2 or 5 times a power of ten.
  function steps([low, high], count) {
    const least = (high - low) / count;
    const power = Math.pow(10, Math.floor(Math.log10(least)));
    const step = [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) * power;
    const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) { found.push([value, value.toFixed(digits)]); }
    return found;
  }

  function axes(context) {
    context.strokeStyle = getComputedStyle(box).getPropertyValue("--line");
    context.lineWidth = 1;
    const labels = [];
    const label = (text, x, y, className) => {
      const element = document.createElement("span");
      element.textContent = text;
      element.className = className;
      element.style.transform = "translate(" + x + "px," + y + "px)";
      labels.push(element);
    };
    const line = (x0, y0, x1, y1) => { context.beginPath(); context.moveTo(x0, y0); context.lineTo(x1, y1); context.stroke(); };
    for (const [value, text] of steps(xs, size.width < 500 ? 4 : 8)) {
      line(across(value), margin.top, across(value), size.height - margin.bottom);
      label(text, across(value) - 30, size.height - margin.bottom + 4, "tick-x");
    }
    for (const [value, text] of steps(ys, 6)) {
      line(margin.left, down(value), size.width - margin.right, down(value));
      label(text, 0, down(value) - 10, "tick-y");
    }
    ticks.replaceChildren(...labels);
  }

  function draw() {
    size = { width: box.clientWidth, height: box.clientHeight };
    if (size.width < 100 || size.height < 100) { return; }
    const context = fit(points);
    axes(context);
    if (data) {
      const radius = data.count > 20000 ? 1.3 : data.count > 2000 ? 2 : 3.5;
      const byColor = new Map();
      for (let index = 0; index < data.count; index++) {
        const outside = parsed.length > 0 && !isInside(parsed, data.places[2 * index], data.places[2 * index + 1]);
        const key = (outside ? "-" : "+") + colorOf(data.values[index]);
        const list = byColor.get(key);
        if (list) { list.push(index); } else { byColor.set(key, [index]); }
      }
      // What is chosen lies on top.
      for (const key of [...byColor.keys()].sort().reverse()) {
        context.fillStyle = key.slice(1);
        context.globalAlpha = key[0] === "-" ? 0.25 : data.count > 20000 ? 0.8 : 0.9;
        context.beginPath();
        for (const index of byColor.get(key)) {
          const [x, y] = [across(data.places[2 * index]), down(data.places[2 * index + 1])];
          if (radius < 2) { context.rect(x - radius, y - radius, 2 * radius, 2 * radius); } else {
            context.moveTo(x + radius, y);
            context.arc(x, y, radius, 0, 2 * Math.PI);
          }
        }
        context.fill();
      }
      context.globalAlpha = 1;
    }
    drawArea();
    box.dataset.drawn = data ? data.count : "";
  }

  // What is being drawn, in pixels; or the area that the address has.
  let path = [];
  let cross = null;
  let isDrawing = false;

  function drawArea() {
    const context = fit(area);
    const style = getComputedStyle(box);
    const corners = path.length > 0 ? path : parsed.map(([x, y]) => [across(x), down(y)]);
    context.strokeStyle = style.getPropertyValue("--ink");
    context.lineWidth = 2;
    if (corners.length > 0) {
      context.setLineDash(path.length > 0 ? [] : [6, 4]);
      context.beginPath();
      corners.forEach(([x, y], index) => { if (index === 0) { context.moveTo(x, y); } else { context.lineTo(x, y); } });
      if (path.length === 0) { context.closePath(); } else if (cross && !isDrawing) { context.lineTo(cross[0], cross[1]); }
      context.stroke();
      context.setLineDash([]);
    }
    if (cross && !isDrawing) {
      context.beginPath();
      context.moveTo(cross[0] - 14, cross[1]);
      context.lineTo(cross[0] + 14, cross[1]);
      context.moveTo(cross[0], cross[1] - 14);
      context.lineTo(cross[0], cross[1] + 14);
      context.stroke();
    }
  }

  // Corners that change the line by less than a pixel are left out, and more where there are too many.
  function simplified(line, most) {
    let distance = 1;
    let kept = line;
    do {
      kept = line.filter((_, index) => index === 0);
      for (const corner of line) {
        const last = kept[kept.length - 1];
        if (Math.hypot(corner[0] - last[0], corner[1] - last[1]) >= distance * 3) { kept.push(corner); }
      }
      distance *= 1.5;
    } while (kept.length > most);
    return kept;
  }

  function choose(corners) {
    const short = (value) => String(Number(value.toPrecision(5)));
    const text = simplified(corners, 150).map(([px, py]) => unplace(px, py).map(short).join(",")).join("~");
    if (text.split("~").length < 3) {
      path = [];
      drawArea();
      return attune.say("An area needs three corners, or two that are far enough apart.");
    }
    const address = new URLSearchParams(box.dataset.query);
    address.set("lasso", text);
    location.href = "/map?" + address + "#chosen";
  }

  function nearest(px, py, within) {
    if (!data) { return -1; }
    let [best, found] = [within * within, -1];
    for (let index = 0; index < data.count; index++) {
      const [dx, dy] = [across(data.places[2 * index]) - px, down(data.places[2 * index + 1]) - py];
      const distance = dx * dx + dy * dy;
      if (distance < best) { [best, found] = [distance, index]; }
    }
    return found;
  }

  function idOf(index) {
    let text = "";
    for (const byte of data.ids.subarray(32 * index, 32 * index + 32)) { text += byte.toString(16).padStart(2, "0"); }
    return text;
  }

  const position = (event) => {
    const bounds = area.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  };

  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) { return; }
    area.setPointerCapture(event.pointerId);
    [isDrawing, path, cross] = [true, [position(event)], null];
    hint.hidden = true;
  });
  area.addEventListener("pointermove", (event) => {
    if (!isDrawing) { return look(position(event)); }
    path.push(position(event));
    drawArea();
  });
  area.addEventListener("pointerup", (event) => {
    if (!isDrawing) { return; }
    isDrawing = false;
    const [x, y] = path[0];
    if (path.every((corner) => Math.hypot(corner[0] - x, corner[1] - y) < 5)) {
      path = [];
      const index = nearest(x, y, 9);
      if (index >= 0) { location.href = "/samples/" + idOf(index); } else { drawArea(); }
      return;
    }
    choose(path);
  });
  area.addEventListener("pointercancel", () => { [isDrawing, path] = [false, []]; drawArea(); });
  area.addEventListener("pointerleave", () => { hint.hidden = true; });

  // The image of the point under the pointer, once it rests there.
  let looking = 0;
  function look([px, py]) {
    clearTimeout(looking);
    looking = setTimeout(() => {
      const index = nearest(px, py, 7);
      hint.hidden = index < 0;
      if (index < 0) { return; }
      const image = document.createElement("img");
      image.width = image.height = 128;
      image.alt = "Sample " + idOf(index).slice(0, 12);
      image.src = "/tiles/" + idOf(index) + "?side=192";
      hint.replaceChildren(image);
      hint.style.transform = "translate(" + Math.min(px + 14, size.width - 150) + "px," + Math.min(py + 14, size.height - 150) + "px)";
    }, 90);
  }

  area.addEventListener("keydown", (event) => {
    if (attune.isTyping(event)) { return; }
    const step = event.shiftKey ? 40 : 8;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (!cross) { cross = [size.width / 2, size.height / 2]; }
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      cross = [Math.min(size.width - 1, Math.max(0, cross[0] + dx)), Math.min(size.height - 1, Math.max(0, cross[1] + dy))];
    } else if (event.key === " ") {
      path.push([...cross]);
      attune.say("Corner " + path.length + " at " + unplace(...cross).map((value) => value.toPrecision(3)).join(", "));
    } else if (event.key === "Enter") {
      if (path.length === 2) {
        const [[x0, y0], [x1, y1]] = path;
        return choose([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]);
      }
      if (path.length > 2) { return choose(path); }
      const index = nearest(cross[0], cross[1], 12);
      if (index >= 0) { location.href = "/samples/" + idOf(index); } else { attune.say("No point is under the cross: Space sets a corner of an area."); }
    } else if (event.key === "Escape") {
      path = [];
    } else {
      return;
    }
    event.preventDefault();
    drawArea();
  });
  area.addEventListener("focus", () => {
    if (!cross && area.matches(":focus-visible")) { cross = [size.width / 2, size.height / 2]; }
    drawArea();
  });
  area.addEventListener("blur", () => { cross = null; drawArea(); });

  fetch("/api/map?" + box.dataset.query)
    .then(async (response) => {
      if (!response.ok) { throw new Error((await response.json()).error); }
      const buffer = await response.arrayBuffer();
      const count = new DataView(buffer).getUint32(0, true);
      data = {
        count, places: new Float32Array(buffer, 4, 2 * count), values: new Float32Array(buffer, 4 + 8 * count, count),
        ids: new Uint8Array(buffer, 4 + 12 * count),
      };
      draw();
    })
    .catch((error) => attune.say("The points could not be loaded: " + error.message));
  draw();
  new ResizeObserver(draw).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
