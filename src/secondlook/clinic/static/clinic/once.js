// A button that was pressed twice sends its form once: on a slow line, two patients of one name would be kept otherwise.
// Forms that a script sends by itself look after themselves.
"use strict";
(() => {
  const PATIENCE_MS = 10_000; // whoever stopped the sending can send again
  const release = (button) => button.removeAttribute("aria-busy");
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || event.target.method !== "post" || !button) return;
    if (button.hasAttribute("aria-busy")) return event.preventDefault();
    button.setAttribute("aria-busy", "true");
    setTimeout(release, PATIENCE_MS, button);
  });
  // The page comes back as it was left.
  addEventListener("pageshow", () => document.querySelectorAll("[type=submit][aria-busy]").forEach(release));
})();
