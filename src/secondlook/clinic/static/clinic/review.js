// The reviewer's keys; each does what a button on the page does, so that nothing needs them.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const key = event.key.toLowerCase();
  const place = document.querySelector(`#opinion [data-key="${key}"]`);
  if (key === "n") document.getElementById("next")?.click();
  else if (place?.matches("select")) place.focus();
  else if (place) place.click();
  else return;
  event.preventDefault();
});
