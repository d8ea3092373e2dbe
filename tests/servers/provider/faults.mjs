// Answers that are not the provider's own, and its own answers damaged on the way.
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const isTokenRequest = (ctx) => ctx.method === "POST" && ctx.path === "/token";

/** Answers a request in place of the provider; settles with the names of the body's parameters, or null. */
export async function answerInstead(ctx, behaviour) {
  const { answers } = behaviour.values;
  if (Object.hasOwn(answers, ctx.path)) return answer(ctx, answers[ctx.path], behaviour);
  if (!isTokenRequest(ctx)) return null;
  await behaviour.tokenRequestMayGoOn();
  // A request that had to wait is handled only if somebody still waits for its answer.
  if (ctx.req.socket.destroyed) return abandon(ctx);
  const { token_answer: instead, token_drop: drop } = behaviour.values;
  if (instead) return answer(ctx, instead, behaviour);
  if (!drop) return null;
  const names = await bodyNames(ctx);
  ctx.req.socket.destroy();
  return abandon(ctx, names);
}

/** Damages the provider's own answer to a token request. */
export function spoilAnswer(ctx, behaviour) {
  const { token_answer_lost: lost, token_drip_ms: milliseconds } = behaviour.values;
  if (!isTokenRequest(ctx) || !(lost || milliseconds)) return;
  const body = Buffer.from(JSON.stringify(ctx.body));
  const { type } = ctx;
  ctx.body = Readable.from(lost ? cutOff(ctx.req.socket, body) : drip(body, milliseconds), { objectMode: false });
  ctx.type = type;
  ctx.length = body.length;
}

async function answer(ctx, { status, content_type: type, body, headers = {} }, behaviour) {
  const names = ctx.method === "POST" ? await bodyNames(ctx) : [];
  const origin = ctx.get("origin");
  if (origin && behaviour.corsAllowed(origin)) ctx.set("Access-Control-Allow-Origin", origin);
  ctx.status = status;
  ctx.type = type;
  ctx.set(headers);
  ctx.body = body;
  return names;
}

async function bodyNames(ctx) {
  return [...new URLSearchParams(await text(ctx.req)).keys()];
}

function abandon(ctx, names = []) {
  ctx.respond = false;
  return names;
}

async function* cutOff(socket, body) {
  yield body.subarray(0, body.length / 2);
  // Once the first half is on its way, and not before: the answer shall be seen to begin.
  await pause(5);
  socket.destroy();
}

async function* drip(body, milliseconds) {
  for (const byte of body) {
    yield Buffer.of(byte);
    await pause(milliseconds);
  }
}
