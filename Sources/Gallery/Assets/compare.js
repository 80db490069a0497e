// Votes and pairs by key.
"use strict";

(() => {
  const form = document.getElementById("versus");
  if (!form) { return; }
  document.addEventListener("keydown", (event) => {
    if (attune.isTyping(event)) { return; }
    if (/^[0-2]$/.test(event.key)) {
      const button = form.querySelector('button[name="winner"][value="' + event.key + '"]');
      if (button) { button.click(); } else { attune.say("Votes need attune serve --allow-edits."); }
    } else if (event.key === "ArrowRight" && form.dataset.next) {
      location.href = form.dataset.next;
    } else if (event.key === "ArrowLeft" && form.dataset.previous) {
      location.href = form.dataset.previous;
    }
  });
  // One vote a page: a key that is held down is one.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent === "yes") { event.preventDefault(); }
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { delete form.dataset.sent; });
})();
