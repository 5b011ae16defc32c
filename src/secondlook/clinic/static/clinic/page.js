// The page: how a picture gets in, its progress, and where the answer goes. Without this file the plain form works.
import { Editor } from "./editor.js";

const find = (id) => document.getElementById(id);
const form = find("upload");
const words = form.dataset;
const editor = new Editor({
  stage: find("stage"),
  canvas: find("canvas"),
  frame: find("frame"),
  tools: find("tools"),
  words: find("square"),
  sentence: words.square,
});

// The choice decides what the editor does, and stays in the address; the words around it follow by the style sheet.
function follow() {
  const chosen = form.querySelector("[name=task]:checked");
  editor.whole = "whole" in chosen.dataset;
  if (find("choices").hidden) return;
  const address = `${form.getAttribute("action")}?task=${chosen.value}`;
  const before = new URLSearchParams(location.search).get("task") ?? form.querySelector("[name=task]").value;
  if (before === chosen.value) return;
  history.replaceState(null, "", address);
  find("languages").elements.next.value = address;
  document.title = `${document.querySelector(`[data-for=${chosen.value}] h1`).textContent} · Secondlook`;
}

function complain(sentence) {
  find("problem").textContent = sentence;
  find("problem").hidden = !sentence;
}

function fill(file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  find("file").files = transfer.files;
}

async function receive(file) {
  if (!file) return;
  complain("");
  find("answer").replaceChildren();
  fill(file);
  form.classList.add("has-picture");
  find("preview").hidden = false;
  const shown = await editor.show(file);
  if (shown === undefined) return;
  for (const id of ["stage", "tools", "frame-help"]) find(id).hidden = !shown;
  find("plain").hidden = shown;
  find("plain").textContent = shown ? "" : `${file.name} – ${words.noPreview}`;
  find(shown ? "frame-help" : "send").focus({ preventScroll: true });
  find("send").scrollIntoView({ block: "nearest" });
}

find("choices").addEventListener("change", follow);
if (!find("ask").hidden) follow();

for (const id of ["file", "camera"]) {
  const take = () => receive(find(id).files[0]);
  find(id).addEventListener("change", take);
  take(); // on a slow line something may be chosen before this file is here
}

// Drop and paste work anywhere on the page while a picture is asked for.
const asking = () => !find("ask").hidden && find("progress").hidden;
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  if (!asking()) return;
  for (const place of [form, find("drop")]) place.classList.add("is-over");
});
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (name === "dragleave" && event.relatedTarget) return;
    for (const place of [form, find("drop")]) place.classList.remove("is-over");
  });
}
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (asking()) receive(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  if (asking()) receive(event.clipboardData.files[0]);
});

// htmx asks before it sends: this is the moment to put the chosen square in place of the file.
document.addEventListener("htmx:confirm", async (event) => {
  if (event.target !== form) return;
  event.preventDefault();
  const file = await editor.take();
  if (file && file.size > Number(words.limit)) {
    complain(words.tooLarge);
    return;
  }
  if (file) fill(file);
  complain("");
  event.detail.issueRequest(true);
});

function tell(sentence) {
  find("progress-words").textContent = sentence;
  find("status").textContent = sentence;
}

form.addEventListener("htmx:beforeSend", () => {
  find("progress").hidden = false;
  find("send").disabled = true;
  find("bar").value = 0;
  tell(words.sending);
});
form.addEventListener("htmx:xhr:progress", (event) => {
  const { lengthComputable, loaded, total } = event.detail;
  if (!lengthComputable || !find("bar").hasAttribute("value")) return;
  find("bar").value = (100 * loaded) / total;
  if (loaded < total) return;
  find("bar").removeAttribute("value"); // sent whole: how long the look takes is not known
  tell(words.looking);
});
form.addEventListener("htmx:afterRequest", () => {
  find("progress").hidden = true;
  find("send").disabled = false;
  find("status").textContent = "";
});
form.addEventListener("htmx:sendError", () => complain(words.noNetwork));

find("answer").addEventListener("htmx:afterSwap", async () => {
  const answer = find("answer");
  find("ask").hidden = Boolean(answer.querySelector("[data-answer]"));
  if (find("ask").hidden) scrollTo({ top: 0 });
  else answer.scrollIntoView({ block: "nearest" });
  answer.querySelector("[tabindex]")?.focus({ preventScroll: true });
  // The server shows the reduced picture that it read; this browser has the sharp one.
  const shown = find("shown");
  const sharp = shown && (await editor.snap());
  if (sharp) shown.setAttribute("href", URL.createObjectURL(sharp));
});

// The answer survives a change of language: the picture is sent once more, and nothing is asked where it lies at hand.
find("languages").addEventListener("submit", async (event) => {
  if (!document.querySelector("[data-answer]")) return;
  event.preventDefault();
  const choice = new FormData(event.target, event.submitter);
  await fetch(event.target.action, { method: "POST", body: choice });
  if (find("file").files.length) form.submit();
  else location.reload();
});

// Another task for the picture at hand: the same file goes once more. Without one the link leads to the form.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-overrule]");
  if (!link || !find("file").files.length) return;
  event.preventDefault();
  form.querySelector(`[name=task][value=${link.dataset.overrule}]`).checked = true;
  follow();
  form.requestSubmit();
});
