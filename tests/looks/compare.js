// Compares pictures of states as somebody would who steps back from them: another rasteriser may draw the edges of letters
// otherwise, but every shape is still there, in its place, and there is as much of every colour as before.

/** CSS pixels for each one that is kept, and steps between the values that its channels can have. */
const SCALE = 3;
const STEP = 17;
/** Side of what is compared as one, in pixels that are kept; and how far it may have moved. */
const CELL = 3;
const REACH = 1;
/** How much the mean of a cell may differ in a channel, of 255; and how many cells of a state may differ by more. */
const CELL_TOLERANCE = 32;
const CELLS_TOLERATED = 1;
/** How much of a colour may come or go in a state: as a part of it, and in any case, in full pixels. */
const PART_TOLERANCE = 0.2;
const MASS_TOLERANCE = 3;

async function pixelsOf(url, shrink) {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = new OffscreenCanvas(Math.floor(image.width / shrink), Math.floor(image.height / shrink));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { width, height, data: data.map((value) => Math.round(value / STEP) * STEP) };
}

/** A screenshot as it is kept: its size, and red, green and blue of each pixel, in base64. */
async function kept(screenshot) {
  const { width, height, data } = await pixelsOf(screenshot, SCALE);
  const rows = Array.from({ length: height }, (_, row) => {
    const pixels = data.subarray(row * width * 4, (row + 1) * width * 4).filter((_value, at) => at % 4 < 3);
    return String.fromCharCode(...pixels);
  });
  return { width, height, pixels: btoa(rows.join("")) };
}

/** A part of a picture. */
function cut({ data, width: stride }, { x, y, width, height }) {
  const rows = Array.from({ length: height }, (_, row) =>
    data.subarray(((y + row) * stride + x) * 4, ((y + row) * stride + x + width) * 4),
  );
  const part = new Uint8ClampedArray(width * height * 4);
  for (const [row, pixels] of rows.entries()) part.set(pixels, row * width * 4);
  return { data: part, width, height };
}

/** The sums of the three channels in each cell, at the index of its first pixel. */
function cellsOf({ data, width, height }) {
  const sums = new Uint16Array(width * height * 3);
  for (let y = 0; y + CELL <= height; y++)
    for (let x = 0; x + CELL <= width; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < CELL; dy++)
          for (let dx = 0; dx < CELL; dx++) sum += data[((y + dy) * width + x + dx) * 4 + c];
        sums[(y * width + x) * 3 + c] = sum;
      }
  return sums;
}

/** How many cells of one picture have nothing like them near the same place in the other. */
function missing(from, inThat, { width, height }) {
  const tolerance = CELL_TOLERANCE * CELL * CELL;
  const differs = (at, there) =>
    Math.abs(from[at] - inThat[there]) > tolerance ||
    Math.abs(from[at + 1] - inThat[there + 1]) > tolerance ||
    Math.abs(from[at + 2] - inThat[there + 2]) > tolerance;
  let count = 0;
  for (let y = REACH; y + CELL + REACH <= height; y += CELL)
    for (let x = REACH; x + CELL + REACH <= width; x += CELL) {
      const at = (y * width + x) * 3;
      let found = false;
      for (let dy = -REACH; dy <= REACH && !found; dy++)
        for (let dx = -REACH; dx <= REACH && !found; dx++) found = !differs(at, at + (dy * width + dx) * 3);
      if (!found) count++;
    }
  return count;
}

const HUES = ["red", "yellow", "green", "cyan", "blue", "magenta"];

/** How much there is of each hue, and of what differs from the ground, in full pixels. */
function massesOf({ data }) {
  const masses = Object.fromEntries([...HUES, "ink"].map((name) => [name, 0]));
  const ground = data.subarray(data.length - 4);
  for (let at = 0; at < data.length; at += 4) {
    const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
    const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
    masses.ink += (Math.abs(r - ground[0]) + Math.abs(g - ground[1]) + Math.abs(b - ground[2])) / 765;
    const chroma = most - least;
    if (chroma <= STEP) continue;
    const sixths = most === r ? (g - b) / chroma : most === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
    masses[HUES[Math.floor(sixths + 6.5) % 6]] += chroma / 255;
  }
  return masses;
}

/** What differs, as sentences; `slots` are in CSS pixels. */
async function differences(reference, screenshot, slots) {
  const [before, now] = [await pixelsOf(reference, 1), await pixelsOf(screenshot, SCALE)];
  const [was, is] = [before, now].map(({ width, height }) => `${width} x ${height}`);
  if (was !== is) return [`the sheet is ${is}, and was ${was}`];
  return slots.flatMap(({ title, ...slot }) => {
    // Without the line around it.
    const inside = {
      x: slot.x + SCALE,
      y: slot.y + SCALE,
      width: slot.width - 2 * SCALE,
      height: slot.height - 2 * SCALE,
    };
    const part = Object.fromEntries(Object.entries(inside).map(([name, size]) => [name, Math.floor(size / SCALE)]));
    return [...shapes(cut(before, part), cut(now, part)), ...colours(cut(before, part), cut(now, part))].map(
      (difference) => `${title}: ${difference}`,
    );
  });
}

function shapes(before, now) {
  const [was, is] = [before, now].map(cellsOf);
  const [gone, come] = [missing(was, is, before), missing(is, was, before)];
  return gone + come > CELLS_TOLERATED ? [`${gone} places lost what they showed, ${come} show something else`] : [];
}

function colours(before, now) {
  const [was, is] = [before, now].map(massesOf);
  return Object.entries(was).flatMap(([name, mass]) => {
    const change = Math.abs(is[name] - mass);
    const matters = change > MASS_TOLERANCE && change > PART_TOLERANCE * mass;
    return matters ? [`${is[name].toFixed(1)} pixels of ${name}, and were ${mass.toFixed(1)}`] : [];
  });
}

globalThis.looks = { kept, differences };
