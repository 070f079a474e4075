"use strict";
// A convenience: everything else on the page works without it.
(() => {
  const box = document.getElementById("by-name");
  const field = box.querySelector("input");
  const told = box.querySelector("output");
  const named = [...document.querySelectorAll("[data-name]")];
  const filter = () => {
    const wanted = field.value.trim().toLowerCase();
    let shown = 0;
    for (const element of named) {
      element.hidden = !element.dataset.name.toLowerCase().includes(wanted);
      if (!element.hidden && element.classList.contains("one")) shown += 1;
    }
    told.textContent = wanted === "" ? "" : shown === 1 ? "1 table" : `${shown} tables`;
  };
  field.addEventListener("input", filter);
  box.hidden = false;
  filter();
})();
