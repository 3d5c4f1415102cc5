// Sends a declaration and waits for its outcome: node send_declaration.js DECLARATION.json OUTCOMES.jsonl
//
// AMQP_URL names the broker and the user, PARTY its party where that has another name. The declaration is sent under
// the message id that it has, so that the program may be run again. Every outcome that comes meanwhile is added to the
// file, whoever asked for it, and what is printed is the outcome asked for.
import { appendFileSync, readFileSync } from "node:fs";
import { Declarations } from "../src/index.js";
import { variable } from "./connect.js";

const [path, kept] = process.argv.slice(2) as [string, string];
const declaration = JSON.parse(readFileSync(path, "utf8")) as { message_id: string };
const declarations = await Declarations.open(variable("AMQP_URL"), process.env.PARTY);
const messageId = await declarations.submit(declaration);
let isAnswered = false;
for await (const outcome of declarations.outcomes(60_000)) {
  appendFileSync(kept, `${JSON.stringify(outcome)}\n`, { flush: true });
  if (outcome.message_id === messageId) {
    console.log(JSON.stringify(outcome));
    isAnswered = true;
    break;
  }
}
await declarations.close();
if (!isAnswered) throw new Error("no outcome within 60 seconds");
