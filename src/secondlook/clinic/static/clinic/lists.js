// Lists: htmx brings the rows as the reader types; the address follows, so that a reload or a bookmark shows the same.
const form = document.querySelector("[data-live]");

form.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  const asked = new URLSearchParams(new FormData(form));
  for (const field of form.elements) if (!field.value || field.selectedIndex === 0) asked.delete(field.name);
  const address = form.getAttribute("action") + (asked.size ? `?${asked}` : "");
  history.replaceState(null, "", address);
  document.getElementById("languages").elements.next.value = address;
});
