// The carousel: it turns by itself only where motion is welcome and nobody looks closer, and one button stops it for good.
const carousel = document.querySelector("[data-carousel]");
const slides = [...carousel.querySelectorAll(".slide")];
const pause = carousel.querySelector("[data-pause]");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const SHOWN_MS = 8000;
let current = 0;
let paused = still.matches;
let near = false;

function show(index) {
  current = (index + slides.length) % slides.length;
  for (const [place, slide] of slides.entries()) slide.classList.toggle("is-shown", place === current);
}

function tell() {
  pause.setAttribute("aria-pressed", String(paused));
  // What turns by itself would interrupt whoever listens; what was asked for is read out.
  carousel.querySelector("[data-slides]").setAttribute("aria-live", paused || near ? "polite" : "off");
}

function come(is) {
  near = is;
  tell();
}

pause.addEventListener("click", () => {
  paused = !paused;
  tell();
});
for (const button of carousel.querySelectorAll("[data-go]")) {
  button.addEventListener("click", () => {
    paused = true;
    tell();
    show(current + Number(button.dataset.go));
  });
}
for (const [name, is] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
  carousel.addEventListener(name, () => come(is));
}
still.addEventListener("change", () => {
  paused = still.matches;
  tell();
});
setInterval(() => {
  if (!paused && !near && !document.hidden) show(current + 1);
}, SHOWN_MS);
tell();
