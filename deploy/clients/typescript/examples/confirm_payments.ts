// Tells that the payments ordered in a run were made: node confirm_payments.js RUN DAY
//
// The id of each request follows from the payment, so the program may be run again: each is confirmed once.
import { createHash } from "node:crypto";
import { settlements, variable } from "./connect.js";

/** A UUID of version 8 that follows from a text. */
function idOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const [a, b, c, d, e] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20), hex.slice(20, 32)];
  return `${a}-${b}-8${c}-a${d}-${e}`;
}

const [run, day] = process.argv.slice(2) as [string, string];
const service = settlements();
for await (const payment of service.payments(Number(run))) {
  if (payment.state === "PAYMENT_STATE_ORDERED" || payment.state === "PAYMENT_STATE_PAID") {
    const reference = payment.payment_reference;
    const id = idOf(`example ${variable("INSURER")} ${reference}`);
    const entry = await service.confirmPayment(id, reference, payment.cents, day);
    console.log(reference, payment.cents, entry.number);
  }
}
service.close();
