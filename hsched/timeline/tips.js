"use strict";
// Where the pointer is, the tip of what is there; and the same job wherever else it is, lit.
{
  const tip = document.getElementById("tip");
  let lit = [];

  const show = (event) => {
    const found = event.target.closest?.(".timeline [data-job], .timeline .merged, .timeline .off, "
      + ".timeline .held, .timeline .waiting");
    for (const one of lit) one.classList.remove("lit");
    lit = [];
    const title = found?.querySelector("title") ?? null;
    tip.hidden = title === null && !found?.dataset.tip;
    if (tip.hidden) return;
    // The browser's own tip would cover ours.
    if (title !== null) { found.dataset.tip = title.textContent; title.remove(); }
    tip.textContent = found.dataset.tip;
    tip.style.left = `${Math.max(0, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(0, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4))}px`;
    if (found.dataset.job) {
      lit = [...document.querySelectorAll(`[data-job="${CSS.escape(found.dataset.job)}"]`)];
      for (const one of lit) one.classList.add("lit");
    }
  };

  document.addEventListener("pointermove", show);
  document.addEventListener("pointerleave", () => { tip.hidden = true; });
}
