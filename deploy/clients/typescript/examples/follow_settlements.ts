// Keeps every event of an insurer's stream in a file, one JSON object a line: node follow_settlements.js FILE
//
// The last whole line says where to go on, so the program may be ended at any moment and started again. With a number
// of events as second argument it ends there.
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { settlements } from "./connect.js";

const ACKNOWLEDGE_EVERY = 100;

/** The token of the last whole line; a line that was cut off by a crash is taken away. */
function lastToken(path: string): string {
  if (!existsSync(path)) return "";
  const text = readFileSync(path);
  const whole = text.subarray(0, text.lastIndexOf("\n") + 1);
  truncateSync(path, whole.length);
  const last = whole.toString().trimEnd().split("\n").at(-1);
  return last ? (JSON.parse(last) as { token: string }).token : "";
}

const [path, lastText] = process.argv.slice(2) as [string, string | undefined];
const last = Number(lastText);
const service = settlements();
for await (const event of service.follow("example-typescript", lastToken(path))) {
  const line = {
    position: event.position,
    cents: event.cents,
    token: event.token,
    of: event.claim_id || `entry ${event.entry?.number}`,
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`, { flush: true });
  console.log(event.position);
  if (event.position % ACKNOWLEDGE_EVERY === 0 || event.position === last) {
    await service.acknowledge("example-typescript", event.token);
  }
  if (event.position === last) break;
}
service.close();
