// A button that copies a field's text, and a field that is selected whole when it is entered.

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      return; // not over plain HTTP: the text is selected, and the keyboard copies it
    }
    button.textContent = button.dataset.copied;
  });
}
