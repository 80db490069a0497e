// What every page has: the help, the keys that work everywhere, forms that send themselves, and messages.
"use strict";

const attune = (() => {
  const meta = document.querySelector('meta[name="csrf"]');
  const mayEdit = document.body.dataset.edits === "yes";
  const toast = document.getElementById("toast");
  let hiding = 0;

  function say(text) {
    toast.textContent = text;
    toast.classList.add("shown");
    clearTimeout(hiding);
    hiding = setTimeout(() => toast.classList.remove("shown"), 5000);
  }

  // Whether keys belong to what is being typed.
  function isTyping(event) {
    const target = event.target;
    return event.ctrlKey || event.metaKey || event.altKey || event.isComposing ||
      (target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))) ||
      document.querySelector("dialog[open]") !== null;
  }

  async function post(address, value) {
    const response = await fetch(address, {
      method: "POST", keepalive: true,
      headers: { "Content-Type": "application/json", "X-CSRF-Token": meta ? meta.content : "" },
      body: JSON.stringify(value),
    });
    if (!response.ok) {
      let reason = "the server answered " + response.status;
      try { reason = (await response.json()).error || reason; } catch { /* not JSON: the status says it */ }
      throw new Error(reason);
    }
    return response.json();
  }

  // Marks go out together, a moment after the last key: one sealed file holds many. What was not taken is shown again.
  const waiting = new Map();
  let sending = 0;
  const listeners = [];

  function mark(id, name, value, undo) {
    if (!mayEdit) {
      say("This gallery is read-only: start it with attune serve --allow-edits to make marks.");
      return false;
    }
    const key = id + " " + name;
    const before = waiting.get(key);
    waiting.set(key, { id, name, value, undo: before ? before.undo : undo });
    clearTimeout(sending);
    sending = setTimeout(flush, 400);
    return true;
  }

  async function flush() {
    clearTimeout(sending);
    if (waiting.size === 0) { return; }
    const marks = [...waiting.values()];
    waiting.clear();
    try {
      await post("/api/marks", { marks: marks.map(({ id, name, value }) => ({ id, name, value })) });
      for (const listener of listeners) { listener(marks); }
    } catch (error) {
      for (const each of marks) { if (each.undo) { each.undo(); } }
      say("Not stored: " + error.message);
    }
  }

  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") { flush(); } });

  const help = document.getElementById("help");
  document.getElementById("help-button").addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) { return; }
    if (event.key === "?") {
      event.preventDefault();
      help.showModal();
    } else if (event.key === "/") {
      event.preventDefault();
      document.getElementById("find").focus();
    }
  });

  for (const form of document.querySelectorAll('form[data-submit="change"]')) {
    form.addEventListener("change", (event) => { if (event.target.tagName === "SELECT") { form.requestSubmit(); } });
    form.addEventListener("formdata", (event) => {
      // Addresses say what differs from the usual, and nothing else.
      for (const [name, value] of [...event.formData.entries()]) { if (value === "") { event.formData.delete(name); } }
    });
  }

  // An image that cannot be shown says so in place of itself.
  document.addEventListener("error", (event) => {
    if (event.target instanceof HTMLImageElement) {
      const tile = event.target.closest(".tile, figure, .stage");
      if (tile) { tile.classList.add("broken"); }
      event.target.alt = "This image cannot be shown; attune verify tells why. " + event.target.alt;
    }
  }, true);

  return { say, isTyping, post, mark, flush, mayEdit, onMarked: (listener) => listeners.push(listener) };
})();
