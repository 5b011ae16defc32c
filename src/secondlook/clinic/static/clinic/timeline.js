// One view of both pictures at a time, and the edge between them. Without this file they stand below one another.
const place = document.querySelector("[data-comparison]");
const views = place ? [...place.querySelectorAll("[data-view]")] : [];

function choose(name) {
  for (const button of views) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  for (const view of place.querySelectorAll("[data-shows]")) view.hidden = view.dataset.shows !== name;
}

if (views.length) {
  choose("beside");
  place.querySelector(".views").hidden = false;
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) choose(button.dataset.view);
  });

  const picture = document.getElementById("over");
  const slider = document.getElementById("over-at");
  const part = document.getElementById("over-rect");
  const edge = document.getElementById("over-edge");
  const width = picture.viewBox.baseVal.width;

  const move = () => {
    const at = (width * slider.value) / 100;
    part.setAttribute("x", at);
    for (const end of ["x1", "x2"]) edge.setAttribute(end, at);
  };
  slider.addEventListener("input", move);
  move();

  // The picture may be narrower than its box, so the place comes from its own coordinates.
  const follow = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    slider.value = Math.min(100, Math.max(0, (100 * point.x) / width));
    move();
  };
  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    follow(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (picture.hasPointerCapture(event.pointerId)) follow(event);
  });
}
