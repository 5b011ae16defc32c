// The preview: turn the picture, and place the square that the model looks at. Nothing leaves the browser here.
// The page hands over a file with `show`, and asks with `take` for what is to be sent: the file itself while nothing
// was changed, else the square that was chosen, so that what lies outside it never leaves the machine. Where the model
// sees the whole picture there is no square: it can be turned, and goes whole.

const LONGEST_SENT_PX = 2048;
const LONGEST_SHOWN_PX = 1024;
const SMALLEST_SHARE = 0.15;
const STEP = 0.02;
const FAR = 5;

export class Editor {
  #image = null;
  #file = null;
  #asked = 0;
  #turns = 0;
  #square = { x: 0, y: 0, side: 0 };
  #drag = null;
  #whole = false;
  #percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

  constructor({ stage, canvas, frame, tools, words, sentence }) {
    Object.assign(this, { stage, canvas, frame, tools, words, sentence });
    tools.addEventListener("click", (event) => this.#edit(event.target.closest("[data-edit]")?.dataset.edit));
    frame.addEventListener("keydown", (event) => this.#press(event));
    stage.addEventListener("pointerdown", (event) => this.#grab(event));
    stage.addEventListener("pointermove", (event) => this.#pull(event));
    stage.addEventListener("pointerup", () => (this.#drag = null));
    stage.addEventListener("pointercancel", () => (this.#drag = null));
    new ResizeObserver(() => this.#place()).observe(canvas);
  }

  // Whether the model sees the whole picture.
  set whole(whole) {
    this.#whole = whole;
    this.#drag = null;
    this.#place();
  }

  // Resolves to whether the browser can show the file, or to nothing where another file was chosen meanwhile.
  async show(file) {
    this.#image?.close();
    this.#image = null; // until it is decoded there is nothing to turn, and the file goes as it is
    this.#file = file;
    this.#turns = 0;
    this.#drag = null;
    const asked = ++this.#asked;
    const image = await createImageBitmap(file).catch(() => null);
    if (asked !== this.#asked) {
      image?.close();
      return undefined;
    }
    this.#image = image;
    if (!image) return false;
    this.#centre();
    this.#draw();
    return true;
  }

  async take() {
    if (!this.#image || this.#untouched()) return this.#file;
    return new File([await this.#render(LONGEST_SENT_PX)], "picture.jpg", { type: "image/jpeg" });
  }

  // Resolves to a sharp picture of what `take` hands over, or to nothing where the browser cannot show the file.
  async snap() {
    return this.#image ? this.#render(LONGEST_SHOWN_PX) : null;
  }

  #render(longest) {
    const { x, y, side } = this.#square;
    const region = this.#whole || this.#untouched() ? [0, 0, this.#width, this.#height] : [x, y, side, side];
    const scale = Math.min(1, longest / Math.max(region[2], region[3]));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(region[2] * scale);
    canvas.height = Math.round(region[3] * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.scale(scale, scale);
    context.translate(-region[0], -region[1]);
    this.#paint(context);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  }

  get #width() {
    return this.#turns % 2 ? this.#image.height : this.#image.width;
  }

  get #height() {
    return this.#turns % 2 ? this.#image.width : this.#image.height;
  }

  get #shorter() {
    return Math.min(this.#width, this.#height);
  }

  #untouched() {
    const { x, y, side } = this.#square;
    const middle = [(this.#width - side) / 2, (this.#height - side) / 2];
    if (this.#whole) return this.#turns === 0;
    return this.#turns === 0 && side === this.#shorter && x === middle[0] && y === middle[1];
  }

  #centre() {
    const side = this.#shorter;
    this.#square = { x: (this.#width - side) / 2, y: (this.#height - side) / 2, side };
  }

  // Paints the turned picture at its full size, its upper left corner at the origin.
  #paint(context) {
    context.translate(this.#width / 2, this.#height / 2);
    context.rotate((this.#turns * Math.PI) / 2);
    context.drawImage(this.#image, -this.#image.width / 2, -this.#image.height / 2);
  }

  #draw() {
    const room = Math.min(this.stage.parentElement.clientWidth, 640);
    const scale = Math.min(room / this.#width, Math.max(innerHeight * 0.6, 240) / this.#height);
    const dense = scale * Math.min(devicePixelRatio, 2);
    this.canvas.width = Math.round(this.#width * dense);
    this.canvas.height = Math.round(this.#height * dense);
    this.canvas.style.width = `${Math.round(this.#width * scale)}px`;
    const context = this.canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.scale(dense, dense);
    this.#paint(context);
    this.#place();
  }

  #place() {
    if (!this.#image) return;
    const { x, y, side } = this.#square;
    const scale = this.canvas.clientWidth / this.#width;
    this.frame.style.left = `${x * scale}px`;
    this.frame.style.top = `${y * scale}px`;
    this.frame.style.width = this.frame.style.height = `${side * scale}px`;
    this.words.textContent = this.#whole ? "" : this.sentence.replace("{share}", this.#percent.format(side / this.#shorter));
  }

  // Sets the square, kept inside the picture.
  #set(x, y, side) {
    const kept = Math.min(Math.max(side, SMALLEST_SHARE * this.#shorter), this.#shorter);
    this.#square = {
      side: kept,
      x: Math.min(Math.max(x, 0), this.#width - kept),
      y: Math.min(Math.max(y, 0), this.#height - kept),
    };
    this.#place();
  }

  #grow(change) {
    const { x, y, side } = this.#square;
    const next = Math.min(Math.max(side + change, SMALLEST_SHARE * this.#shorter), this.#shorter);
    this.#set(x + (side - next) / 2, y + (side - next) / 2, next);
  }

  #turn(quarters) {
    const { x, y, side } = this.#square;
    const [width, height] = [this.#width, this.#height];
    this.#turns = (this.#turns + quarters + 4) % 4;
    this.#square = quarters === 1 ? { x: height - y - side, y: x, side } : { x: y, y: width - x - side, side };
    this.#draw();
  }

  #edit(action) {
    if (!action || !this.#image) return;
    const step = FAR * STEP * this.#shorter;
    if (action === "left") this.#turn(-1);
    if (action === "right") this.#turn(1);
    if (action === "smaller") this.#grow(-step);
    if (action === "larger") this.#grow(step);
    if (action === "reset") {
      this.#turns = 0;
      this.#centre();
      this.#draw();
    }
  }

  #press(event) {
    if (!this.#image) return;
    const step = STEP * this.#shorter * (event.shiftKey ? FAR : 1);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const { x, y, side } = this.#square;
    if (event.key in moves) this.#set(x + moves[event.key][0], y + moves[event.key][1], side);
    else if (event.key === "+" || event.key === "=") this.#grow(step);
    else if (event.key === "-") this.#grow(-step);
    else return;
    event.preventDefault();
  }

  #locate(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.#width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  #grab(event) {
    if (!this.#image || this.#whole || event.button !== 0) return;
    const point = this.#locate(event);
    const { x, y, side } = this.#square;
    const corner = event.target.closest("[data-corner]")?.dataset.corner;
    // A press outside the square brings it there: moving needs no dragging.
    if (!corner && !event.target.closest(".frame")) this.#set(point.x - side / 2, point.y - side / 2, side);
    this.#drag = { corner, point, start: { ...this.#square } };
    this.stage.setPointerCapture(event.pointerId);
    this.frame.focus({ preventScroll: true });
    event.preventDefault();
  }

  #pull(event) {
    if (!this.#drag) return;
    const { corner, point, start } = this.#drag;
    const now = this.#locate(event);
    const [right, down] = [now.x - point.x, now.y - point.y];
    if (!corner) {
      this.#set(start.x + right, start.y + down, start.side);
      return;
    }
    const [fromRight, fromBottom] = [corner.includes("w"), corner.includes("n")];
    const outward = Math.max(fromRight ? -right : right, fromBottom ? -down : down);
    const room = Math.min(
      fromRight ? start.x + start.side : this.#width - start.x,
      fromBottom ? start.y + start.side : this.#height - start.y,
    );
    const side = Math.min(Math.max(start.side + outward, SMALLEST_SHARE * this.#shorter), room);
    this.#set(start.x + (fromRight ? start.side - side : 0), start.y + (fromBottom ? start.side - side : 0), side);
  }
}
