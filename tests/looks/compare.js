// Compares pictures of states as somebody would who steps back from them: another rasteriser may move letters by a little
// and draw their edges otherwise, but every shape is still there, about where it was, and every colour as much as before.

/** CSS pixels for each one that is kept. */
const SCALE = 2;
/** Side of what is compared as one, in pixels that are kept; and how far it may have moved. */
const CELL = 4;
const REACH = 4;
/** How much the mean of a cell may differ in a channel, of 255; and how many cells of a state may differ by more. */
const CELL_TOLERANCE = 36;
const CELLS_TOLERATED = 1;
/** How much of a colour may come or go in a state: as a part of it, and in any case. */
const PART_TOLERANCE = 0.2;
const MASS_TOLERANCE = 12;

async function pixelsOf(url, shrink) {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width / shrink);
  canvas.height = Math.round(image.height / shrink);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return { canvas, context };
}

/** A screenshot as it is kept, as a data address. */
async function kept(screenshot) {
  return (await pixelsOf(screenshot, SCALE)).canvas.toDataURL();
}

/** The mean colour of each cell, at every second pixel. */
function cellsOf({ data, width, height }) {
  const means = new Map();
  for (let y = 0; y + CELL <= height; y += 2) {
    for (let x = 0; x + CELL <= width; x += 2) {
      const sum = [0, 0, 0];
      for (let dy = 0; dy < CELL; dy++)
        for (let dx = 0; dx < CELL; dx++)
          for (let c = 0; c < 3; c++) sum[c] += data[((y + dy) * width + x + dx) * 4 + c];
      means.set(y * width + x, sum);
    }
  }
  return means;
}

/** How many cells of one picture have nothing like them near the same place in the other. */
function missing(from, inThat, width, height) {
  const tolerance = CELL_TOLERANCE * CELL * CELL;
  let count = 0;
  for (let y = 0; y + CELL <= height; y += CELL) {
    for (let x = 0; x + CELL <= width; x += CELL) {
      const mean = from.get(y * width + x);
      let best = Infinity;
      for (let dy = -REACH; dy <= REACH && best > tolerance; dy += 2) {
        for (let dx = -REACH; dx <= REACH && best > tolerance; dx += 2) {
          const other = x + dx >= 0 && x + dx < width ? inThat.get((y + dy) * width + x + dx) : undefined;
          if (other) best = Math.min(best, Math.max(...mean.map((value, c) => Math.abs(value - other[c]))));
        }
      }
      if (best > tolerance) count += 1;
    }
  }
  return count;
}

const HUES = ["red", "yellow", "green", "cyan", "blue", "magenta"];

/** How much there is of each hue, and of what differs from the ground, in whole pixels. */
function massesOf({ data }) {
  const ground = data.slice(0, 3);
  const masses = Object.fromEntries([...HUES, "ink"].map((name) => [name, 0]));
  for (let at = 0; at < data.length; at += 4) {
    const [r, g, b] = data.slice(at, at + 3);
    const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
    masses.ink += (Math.abs(r - ground[0]) + Math.abs(g - ground[1]) + Math.abs(b - ground[2])) / 765;
    if (most - least < 16) continue;
    const turn = (most === r ? (g - b) / (most - least) : most === g ? 2 + (b - r) / (most - least) : 4 + (r - g) / (most - least)) + 6.5;
    masses[HUES[Math.floor(turn) % 6]] += (most - least) / 255;
  }
  return masses;
}

/** What differs, as sentences; `slots` are in CSS pixels. */
async function differences(reference, screenshot, slots) {
  const [before, now] = [await pixelsOf(reference, 1), await pixelsOf(screenshot, SCALE)];
  const sizes = [before, now].map(({ canvas }) => `${canvas.width} x ${canvas.height}`);
  if (sizes[0] !== sizes[1]) return [`the sheet is ${sizes[1]}, and was ${sizes[0]}`];
  const found = [];
  for (const { title, ...slot } of slots) {
    const [x, y, width, height] = [slot.x, slot.y, slot.width, slot.height].map((size) => Math.round(size / SCALE));
    const [was, is] = [before, now].map(({ context }) => context.getImageData(x, y, width, height));
    const [wasCells, isCells] = [was, is].map(cellsOf);
    const gone = missing(wasCells, isCells, width, height);
    const come = missing(isCells, wasCells, width, height);
    if (gone + come > CELLS_TOLERATED) found.push(`${title}: ${gone} places lost what they showed, ${come} got something else`);
    const [wasMasses, isMasses] = [was, is].map(massesOf);
    for (const [name, mass] of Object.entries(wasMasses)) {
      const change = Math.abs(isMasses[name] - mass);
      if (change > MASS_TOLERANCE && change > PART_TOLERANCE * mass)
        found.push(`${title}: ${isMasses[name].toFixed(1)} pixels of ${name}, and were ${mass.toFixed(1)}`);
    }
  }
  return found;
}

globalThis.looks = { kept, differences };
