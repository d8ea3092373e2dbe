// `node scripts/deflate.mjs IN OUT`: deflates a file without header, as `DecompressionStream("deflate-raw")` reads it; far slower
// and some per cent smaller than zlib. A program of its own, because the compressor takes over its process's error handling.

import { readFileSync, writeFileSync } from "node:fs";
import zopfli from "@gfx/zopfli";

const [from, to] = process.argv.slice(2);
writeFileSync(to, await zopfli.deflateAsync(readFileSync(from), { numiterations: 60, blocksplittingmax: 60 }));
