// A run's figures and plots, refreshed whenever its log has grown; and the slider of its validation images.
"use strict";

(() => {
  let live = document.getElementById("live");
  let failures = 0;

  async function refresh() {
    try {
      const response = await fetch("/runs/" + encodeURIComponent(live.dataset.run) + "/live");
      if (!response.ok) { throw new Error("the server answered " + response.status); }
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("live");
      failures = 0;
      if (fresh && (fresh.dataset.version !== live.dataset.version || fresh.dataset.state !== live.dataset.state)) {
        live.replaceWith(fresh);
        live = fresh;
      }
    } catch (error) {
      failures++;
      if (failures === 3) { attune.say("The run's log cannot be followed: " + error.message); }
    }
    schedule();
  }

  function schedule() {
    if (!live || live.dataset.state === "finished") { return; }
    // What nobody sees is looked at less often.
    const pause = (document.hidden ? 15000 : live.dataset.state === "running" ? 1500 : 5000) * Math.min(1 + failures, 8);
    setTimeout(refresh, pause);
  }
  schedule();

  const slider = document.getElementById("validation-slider");
  if (slider) {
    const sets = [...document.querySelectorAll(".validation")];
    slider.addEventListener("input", () => {
      sets.forEach((set, place) => { set.hidden = place !== Number(slider.value); });
      document.getElementById("validation-step").textContent = sets[slider.value].dataset.step;
      slider.setAttribute("aria-valuetext", "step " + sets[slider.value].dataset.step);
    });
  }
})();
