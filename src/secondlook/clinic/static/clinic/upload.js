// Several pictures at once: each is previewed, checked, sent and answered by itself. Without this file the plain form
// works. Checking needs no more than a small copy, so that a slow line is used for the picture alone.
import { Editor } from "./editor.js";

const CHECKED_PX = 512;
const THUMB_PX = 320;

const find = (id) => document.getElementById(id);
const form = find("uploads");
const words = form.dataset;
let token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const cards = [];
const editor = new Editor({
  stage: find("stage"),
  canvas: find("canvas"),
  frame: find("frame"),
  tools: find("tools"),
  words: find("square"),
  sentence: words.square,
});
let adjusted = null; // the card whose picture is in the editor
let checking = Promise.resolve();

// A key that tells this upload from all others, however often it is sent.
const makeKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function scaled(image, least) {
  const scale = Math.min(1, least / Math.min(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

class Card {
  constructor(file) {
    this.name = file.name;
    this.element = find("card").content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.part(".upload-name").textContent = file.name;
    for (const field of ["lesion", "task"]) this.select(field).append(...[...find(field).cloneNode(true).options]);
    this.follow("lesion");
    this.follow("task");
    this.element.addEventListener("click", (event) => this.act(event.target.closest("[data-do]")?.dataset.do));
    this.select("task").addEventListener("change", () => this.check());
    find("cards").append(this.element);
    this.tell(words.checking);
    this.take(file);
  }

  select = (field) => this.element.querySelector(`[data-field=${field}]`);

  get state() {
    return this.element.dataset.state;
  }

  set state(state) {
    this.element.dataset.state = state;
    for (const field of ["lesion", "task"]) this.select(field).disabled = !this.waits;
    this.part("[data-do=adjust]").hidden = !(this.waits && this.shown && state !== "broken");
    this.part("[data-do=retry]").hidden = state !== "failed";
    this.part("[data-do=drop]").hidden = !this.waits;
    this.part(".progress-line").hidden = state !== "sending";
    summarise();
  }

  // Whether it was not sent yet, or has to be sent again.
  get waits() {
    return ["ready", "checking", "broken", "failed"].includes(this.state);
  }

  // What is said of all pictures at once is said of this one too, until it is said otherwise.
  follow(field) {
    if (this.select(field).dataset.own === undefined) this.select(field).value = find(field).value;
  }

  // Takes a file, or one that the editor is still drawing: from here on nothing sends what it takes the place of.
  take(file) {
    const before = this.state;
    this.state = "checking";
    checking = checking.then(async () => {
      const taken = await file;
      if (taken === this.file) {
        if (before !== "checking") this.state = before;
        return;
      }
      this.file = taken;
      this.key = makeKey(); // another content is another upload
      this.copy = null;
      this.shown = false;
      this.state = "checking";
      this.tell(words.checking);
      await this.look();
      await this.judge();
    });
  }

  check() {
    if (!["ready", "broken"].includes(this.state)) return;
    this.state = "checking";
    checking = checking.then(() => this.judge());
  }

  // One picture at a time is decoded, for a phone's memory.
  async look() {
    try {
      const image = await createImageBitmap(this.file);
      this.side = Math.min(image.width, image.height);
      const thumb = scaled(image, THUMB_PX);
      const canvas = this.part(".upload-canvas");
      [canvas.width, canvas.height] = [thumb.width, thumb.height];
      canvas.getContext("2d").drawImage(thumb, 0, 0);
      canvas.hidden = false;
      this.shown = true;
      this.copy = await new Promise((resolve) => scaled(image, CHECKED_PX).toBlob(resolve, "image/jpeg", 0.92));
      image.close();
    } catch {
      this.copy = null; // the browser cannot show it: the server looks at the file itself
    }
  }

  async judge() {
    if (!this.element.isConnected) return;
    if (this.file.size > Number(words.limit)) {
      this.tell("");
      this.complain(words.tooLarge);
      this.state = "broken";
      return;
    }
    const body = new FormData();
    body.set("file", this.copy ?? this.file, "picture");
    body.set("task", this.select("task").value);
    if (this.copy) body.set("shorter_side_px", this.side);
    try {
      const response = await fetch(words.check, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } });
      if ([401, 403].includes(response.status)) throw new Error("logged out"); // sending says so
      this.part(".upload-check").innerHTML = await response.text();
      // What this browser cannot show, a DICOM file for one, comes back as a small picture.
      const preview = this.part(".upload-check .upload-preview");
      if (preview) this.part(".upload-thumb").replaceChildren(preview);
      this.state = response.status === 400 ? "broken" : "ready";
    } catch {
      this.tell(""); // the check is a courtesy: sending may still work
      this.state = "ready";
    }
  }

  tell(sentence) {
    const line = document.createElement("p");
    line.className = "hint";
    line.textContent = sentence;
    this.part(".upload-check").replaceChildren(...(sentence ? [line] : []));
  }

  complain(sentence) {
    const line = document.createElement("p");
    line.className = "problem";
    line.textContent = sentence;
    this.part(".upload-outcome").replaceChildren(...(sentence ? [line] : []));
  }

  // Whoever was logged out comes back in another tab: the pictures wait here.
  lead(address) {
    this.complain(words.loggedOut + " ");
    const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", textContent: words.logIn });
    this.part(".upload-outcome .problem").append(link);
    this.state = "failed";
  }

  act(what) {
    if (what === "retry") send([this]);
    if (what === "adjust") adjust(this);
    if (what !== "drop") return;
    cards.splice(cards.indexOf(this), 1);
    this.element.remove();
    summarise();
    (cards.at(-1)?.part("[data-do=drop]") ?? find("file")).focus();
  }

  progress(share) {
    const bar = this.part("progress");
    if (share < 1) bar.value = 100 * share;
    else bar.removeAttribute("value"); // sent whole: how long the look takes is not known
    this.part(".progress-line span").textContent = share < 1 ? words.sending : words.looking;
  }

  async send() {
    this.complain("");
    this.state = "sending";
    this.progress(0);
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      this.complain(words.gone);
      this.state = "broken";
      return;
    }
    const body = new FormData();
    body.set("file", this.file, this.name);
    for (const field of ["lesion", "task"]) body.set(field, this.select(field).value);
    body.set("upload_key", this.key);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("X-CSRFToken", token);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", (event) => this.progress(event.loaded / event.total));
      request.addEventListener("loadend", () => resolve(this.receive(request)));
      request.send(body);
    });
  }

  receive(request) {
    const address = request.getResponseHeader("HX-Redirect");
    if (address) return this.lead(address);
    if (request.status === 200 || request.status === 400) {
      this.part(".upload-outcome").innerHTML = request.responseText;
      this.state = request.status === 200 ? "kept" : "refused";
      if (this.state === "kept") this.tell("");
      return;
    }
    const said = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[data-refusal] p");
    this.complain(said?.textContent ?? words.noNetwork);
    this.state = "failed";
  }
}

function summarise() {
  const open = cards.filter((card) => ["ready", "checking", "failed"].includes(card.state));
  const kept = cards.filter((card) => card.state === "kept").length;
  find("send").disabled = !open.length || cards.some((card) => card.state === "sending");
  find("send").hidden = !open.length && kept > 0;
  form.classList.toggle("has-cards", cards.length > 0);
  find("file").required = !cards.length;
  if (kept) find("status").textContent = words.done.replace("{count}", kept).replace("{all}", cards.length);
}

// Whether they can be sent: logging in again in another tab gives forms another token.
async function renew(first) {
  try {
    const response = await fetch(form.action, { headers: { "HX-Request": "true" } });
    const address = response.headers.get("HX-Redirect");
    if (address) first.lead(address);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    token = page.querySelector("#uploads [name=csrfmiddlewaretoken]")?.value ?? token;
    return !address;
  } catch {
    return true; // each says by itself that there is no network
  }
}

async function send(chosen) {
  const open = chosen.filter((card) => ["ready", "failed"].includes(card.state));
  if (!open.length || !(await renew(open[0]))) return;
  for (const card of open) {
    if (card.state === "checking") await checking; // changed while those before it were sent
    if (card.element.isConnected && ["ready", "failed"].includes(card.state)) await card.send();
  }
}

function adjust(card) {
  adjusted = card;
  find("adjust").showModal();
  const whole = "whole" in card.select("task").selectedOptions[0].dataset;
  editor.whole = whole;
  find("frame").hidden = whole;
  for (const tool of find("tools").querySelectorAll("[data-cropping]")) tool.hidden = whole;
  editor.show(card.file);
}

find("adjust").addEventListener("submit", (event) => {
  if (event.submitter.value === "done" && adjusted.waits) adjusted.take(editor.take());
});

function receive(files) {
  for (const file of files) cards.push(new Card(file));
  summarise();
  cards.at(-1)?.element.scrollIntoView({ block: "nearest" });
}

for (const id of ["file", "camera"]) {
  const take = () => {
    receive([...find(id).files]);
    find(id).value = ""; // the same file may be chosen again, and the form holds no second copy of it
  };
  find(id).addEventListener("change", take);
  take(); // on a slow line something may be chosen before this file is here
}
for (const field of ["lesion", "task"]) {
  find(field).addEventListener("change", () => {
    for (const card of cards.filter((one) => ["ready", "checking", "broken"].includes(one.state))) {
      card.follow(field);
      if (field === "task") card.check();
    }
  });
}
find("cards").addEventListener("change", (event) => (event.target.dataset.own = ""));

// Drop and paste work anywhere on the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  find("drop").classList.add("is-over");
});
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (name === "drop" || !event.relatedTarget) find("drop").classList.remove("is-over");
  });
}
document.addEventListener("drop", (event) => {
  event.preventDefault();
  receive([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => receive([...event.clipboardData.files]));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await checking;
  await send(cards);
});

addEventListener("beforeunload", (event) => {
  // A photograph that was just taken is nowhere else.
  if (cards.some((card) => ["ready", "checking", "failed", "sending"].includes(card.state))) event.preventDefault();
});
