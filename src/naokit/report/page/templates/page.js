// Shows the words of a mark at once, and marks the same trial wherever else it is.
"use strict";
const tip = document.getElementById("tip");
function at(event) {
  const one = event.target.closest("[data-trial], .mark");
  document.querySelectorAll(".same").forEach((other) => other.classList.remove("same"));
  tip.hidden = true;
  if (!one) return;
  const trial = one.dataset.trial;
  if (trial !== undefined)
    document.querySelectorAll(`[data-trial="${trial}"]`).forEach((other) => other.classList.add("same"));
  const title = one.querySelector("title");
  if (title) { one.dataset.words = title.textContent; title.remove(); }
  if (!one.dataset.words) return;
  tip.textContent = one.dataset.words;
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const above = event.clientY - tip.offsetHeight - 10;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
}
document.addEventListener("pointerover", at);
document.addEventListener("pointerdown", at);
