// The body map in the form of a lesion: a click or the arrow keys place the mark; the list of regions follows, and the
// other way round. Without this file the list alone places it.
const form = document.querySelector("[data-place-form]");
const { place: list, x: across, y: down } = form.elements;
const figures = [...form.querySelectorAll(".body-figure")];
const regions = [...form.querySelectorAll(".region")];
const words = form.querySelector("[data-place-status]");
const mark = form.querySelector("template").content.querySelector("g").cloneNode(true);
const STEP = 2;

const find = (place) => regions.find((region) => region.dataset.place === place);
const sizeOf = (figure) => figure.viewBox.baseVal;

// Which region lies under a point of a figure; mirrored regions are asked at the mirrored point.
function meet(figure, x, y) {
  return regions.find((region) => {
    if (region.ownerSVGElement !== figure) return false;
    const point = figure.createSVGPoint();
    point.x = "mirrored" in region.dataset ? sizeOf(figure).width - x : x;
    point.y = y;
    return region.isPointInFill(point);
  });
}

function draw(region, x, y) {
  const figure = region.ownerSVGElement;
  const had = document.activeElement === mark;
  figure.append(mark);
  mark.setAttribute("transform", `translate(${x} ${y})`);
  if (had) mark.focus();
  for (const other of regions) other.classList.toggle("is-chosen", other === region);
}

function put(region, x, y) {
  const { width, height } = sizeOf(region.ownerSVGElement);
  draw(region, x, y);
  across.value = (x / width).toFixed(4);
  down.value = (y / height).toFixed(4);
  if (list.value !== region.dataset.place) {
    list.value = region.dataset.place;
    words.textContent = list.selectedOptions[0].textContent;
  }
}

function place(region, x, y) {
  const { width, height } = sizeOf(region.ownerSVGElement);
  put(region, x * width, y * height);
}

for (const figure of figures) {
  figure.classList.add("is-clickable");
  figure.addEventListener("click", (event) => {
    if (event.target.closest("g")) return;
    const point = figure.createSVGPoint();
    [point.x, point.y] = [event.clientX, event.clientY];
    const { x, y } = point.matrixTransform(figure.getScreenCTM().inverse());
    const region = meet(figure, x, y);
    if (region) put(region, x, y);
  });
}

list.addEventListener("change", () => {
  const region = find(list.value);
  if (region) place(region, region.dataset.x, region.dataset.y);
  else mark.remove();
});

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
mark.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  if (!move) return;
  event.preventDefault();
  const figure = mark.ownerSVGElement;
  const { width, height } = sizeOf(figure);
  const reach = STEP * (event.shiftKey ? 5 : 1);
  const x = across.value * width + move[0] * reach;
  const y = down.value * height + move[1] * reach;
  const region = meet(figure, x, y);
  if (region) put(region, x, y);
});

const first = find(list.value);
if (first) place(first, across.value || first.dataset.x, down.value || first.dataset.y);
