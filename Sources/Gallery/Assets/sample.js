// A sample's marks, and keys that go from candidate to candidate.
"use strict";

(() => {
  const sample = document.getElementById("sample");
  if (!sample) { return; }
  const id = sample.dataset.id;

  function buttons(name) { return [...sample.querySelectorAll('button[data-mark="' + CSS.escape(name) + '"]')]; }

  function value(name) {
    const pressed = buttons(name).filter((button) => button.getAttribute("aria-pressed") === "true");
    if (name === "stars") { return pressed.length; }
    return pressed.length ? Number(pressed[0].dataset.value) : 0;
  }

  function show(name, now) {
    for (const button of buttons(name)) {
      const own = Number(button.dataset.value);
      button.setAttribute("aria-pressed", String(name === "stars" ? own <= now : own === now));
    }
  }

  function set(name, wanted) {
    const before = value(name);
    const now = before === wanted ? 0 : wanted;
    if (attune.mark(id, name, now, () => show(name, before))) { show(name, now); }
  }

  sample.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-mark]");
    if (!button) { return; }
    const name = button.dataset.mark;
    if (name.startsWith("tag_")) {
      if (attune.mark(id, name, 0, () => location.reload())) { button.closest("li").remove(); }
    } else {
      set(name, Number(button.dataset.value));
    }
  });

  const form = document.getElementById("tag-form");
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const tag = form.elements.tag.value;
      if (buttons("tag_" + tag).length > 0) { return; }
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.mark = "tag_" + tag;
      button.dataset.value = "0";
      button.textContent = tag + " ×";
      button.setAttribute("aria-label", "Remove the tag " + tag);
      const item = document.createElement("li");
      item.append(button);
      if (attune.mark(id, "tag_" + tag, 1, () => item.remove())) { document.getElementById("tags").append(item); }
      form.reset();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (attune.isTyping(event)) { return; }
    const follow = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    if (follow) {
      const link = document.querySelector('a[rel="' + follow + '"]');
      if (link) { event.preventDefault(); link.click(); }
    } else if (event.key === " " && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      set("pick", 1);
    } else if (event.key === "x") {
      set("pick", -1);
    } else if (/^[1-5]$/.test(event.key)) {
      set("stars", Number(event.key));
    } else if (event.key === "0") {
      set("stars", value("stars"));
    } else if (event.key === "t" && form) {
      event.preventDefault();
      form.elements.tag.focus();
    }
  });
})();
