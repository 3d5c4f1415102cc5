// Settlements of one insurer: its stream, which is resumed whenever it is cut, and its payments.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { isPassing, isServiceError, Refused } from "./errors.js";
import type { ProtoGrpcType } from "./generated/settlement.js";
import type { AcknowledgeResponse__Output } from "./generated/samenloop/settlement/v1/AcknowledgeResponse.js";
import type { Balance__Output } from "./generated/samenloop/settlement/v1/Balance.js";
import type { Entry__Output } from "./generated/samenloop/settlement/v1/Entry.js";
import type { Event__Output } from "./generated/samenloop/settlement/v1/Event.js";
import type { Events__Output } from "./generated/samenloop/settlement/v1/Events.js";
import type { ListSettlementsResponse__Output } from "./generated/samenloop/settlement/v1/ListSettlementsResponse.js";
import type { Payment__Output } from "./generated/samenloop/settlement/v1/Payment.js";
import type { SettlementClient } from "./generated/samenloop/settlement/v1/Settlement.js";
import type { SnapshotEnd__Output } from "./generated/samenloop/settlement/v1/SnapshotEnd.js";
import type { SubscribeResponse__Output } from "./generated/samenloop/settlement/v1/SubscribeResponse.js";
import type { TakeSnapshotResponse__Output } from "./generated/samenloop/settlement/v1/TakeSnapshotResponse.js";

export { Refused } from "./errors.js";
export type Balance = Balance__Output;
export type SnapshotEnd = SnapshotEnd__Output;
export type Entry = Entry__Output;
export type Event = Event__Output;
export type Payment = Payment__Output;

/** Bytes of one message either way. */
export const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

// Milliseconds between attempts: from the first, doubled, up to the second; each drawn at random below.
const PAUSE_FIRST_MS = 100;
const PAUSE_MS_MAX = 5_000;

// Attempts of a call that answers once; a stream is resumed for as long as it is read.
const ATTEMPTS_MAX = 5;

const PAGE_SIZE = 500;

/** The stream broke its promise: a position is missing, or a sum is wrong. Nothing of that response was given. */
export class StreamBroken extends Error {}

/** Credentials of a client certificate, from three PEM files. */
export function credentials(authorities: string, certificate: string, privateKey: string): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(readFileSync(authorities), readFileSync(privateKey), readFileSync(certificate));
}

/**
 * What one insurer may ask. Without credentials it connects in the clear, which the service takes on loopback.
 * Amounts are numbers of cents: they are at most 10^13, which a number holds exactly.
 */
export class Settlements {
  readonly #client: SettlementClient;
  readonly #insurer: string;
  readonly #timeoutMs: number;

  constructor(target: string, insurer: string, shown = grpc.credentials.createInsecure(), timeoutMs = 30_000) {
    const contracts = fileURLToPath(new URL("../../proto", import.meta.url));
    const options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
    const file = "samenloop/settlement/v1/settlement.proto";
    const loaded = loadSync(file, { ...options, includeDirs: [contracts] });
    const types = grpc.loadPackageDefinition(loaded) as unknown as ProtoGrpcType;
    this.#client = new types.samenloop.settlement.v1.Settlement(target, shown, {
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      // A connection that is gone without a word is noticed.
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.max_reconnect_backoff_ms": PAUSE_MS_MAX,
    });
    this.#insurer = insurer;
    this.#timeoutMs = timeoutMs;
  }

  close(): void {
    this.#client.close();
  }

  /**
   * Every event after `token`, once and in order, for ever; a stream that is cut is resumed after the last one.
   *
   * Keep the token of an event in the same step as its effect: whoever begins again with it gets the next event.
   * Without a token it begins after what was acknowledged. Throws `Refused` with RESUME_TOKEN_EXPIRED where the token
   * is none of this stream, or its events are no longer sent.
   */
  async *follow(subscription: string, token = "", eventsMax = 0): AsyncGenerator<Event> {
    let position: number | undefined;
    for (let attempts = 0; ; attempts += 1) {
      const request = { insurer_uzovi: this.#insurer, subscription, resume_token: token, events_max: eventsMax };
      const stream = this.#client.Subscribe(request);
      try {
        for await (const response of stream as AsyncIterable<SubscribeResponse__Output>) {
          attempts = 0;
          if (response.response === "events") {
            check(response.events!, position);
            for (const event of response.events!.events) {
              ({ position, token } = event);
              yield event;
            }
          } else {
            // Progress goes on; after a goaway the service ends the stream, and another one takes over.
            token = (response.progress ?? response.goaway)!.token;
          }
        }
      } catch (error) {
        if (!isPassing(error)) throw isServiceError(error) ? new Refused(error) : error;
      } finally {
        stream.cancel();
      }
      await sleep(pauseMs(attempts));
    }
  }

  /**
   * The books at one moment: balances by account, payments not yet made, and the end, which has the token to follow
   * from. For whoever begins, or whose token has expired.
   */
  async snapshot(): Promise<{ balances: Balance[]; payments: Payment[]; end: SnapshotEnd }> {
    const balances: Balance[] = [];
    const payments: Payment[] = [];
    const deadline = Date.now() + this.#timeoutMs;
    const parts = this.#client.TakeSnapshot({ insurer_uzovi: this.#insurer }, { deadline });
    try {
      for await (const part of parts as AsyncIterable<TakeSnapshotResponse__Output>) {
        balances.push(...part.balances);
        payments.push(...part.payments);
        if (part.end) return { balances, payments, end: part.end };
      }
    } catch (error) {
      throw isServiceError(error) ? new Refused(error) : error;
    }
    throw new StreamBroken("a snapshot came without its end");
  }

  /** Keeps at the service how far `subscription` is, for when its own token is lost. Never goes back. */
  async acknowledge(subscription: string, token: string): Promise<number> {
    const request = { insurer_uzovi: this.#insurer, subscription, token };
    const answer = await this.#call<AcknowledgeResponse__Output>((...rest) =>
      this.#client.Acknowledge(request, ...rest),
    );
    return answer.position;
  }

  /** Payments of a run, or of all. */
  async *payments(run = 0): AsyncGenerator<Payment> {
    let token = "";
    do {
      const request = { insurer_uzovi: this.#insurer, run, page_size: PAGE_SIZE, page_token: token };
      const page = await this.#call<ListSettlementsResponse__Output>((...rest) =>
        this.#client.ListSettlements(request, ...rest),
      );
      yield* page.settlements;
      token = page.next_page_token;
    } while (token !== "");
  }

  /** Tells that a payment was made. The same request id with the same content has its effect once. */
  async confirmPayment(requestId: string, reference: string, cents: number, paidOn: string): Promise<Entry> {
    const request = {
      insurer_uzovi: this.#insurer,
      request_id: requestId,
      payment_reference: reference,
      cents,
      paid_on: paidOn,
    };
    return this.#call<Entry>((...rest) => this.#client.ConfirmPayment(request, ...rest));
  }

  /** Every call may be made again: it has its effect once. */
  async #call<T>(
    method: (metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<T>) => unknown,
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await new Promise<T>((resolve, reject) => {
          const deadline = Date.now() + this.#timeoutMs;
          method(new grpc.Metadata(), { deadline }, (error, answer) => (error ? reject(error) : resolve(answer!)));
        });
      } catch (error) {
        if (!isPassing(error) || attempt + 1 === ATTEMPTS_MAX) {
          throw isServiceError(error) ? new Refused(error) : error;
        }
      }
      await sleep(pauseMs(attempt));
    }
  }
}

function check({ events, sum_cents: sumCents }: Events__Output, position: number | undefined): void {
  let sum = 0;
  for (const event of events) {
    if (position !== undefined && event.position !== position + 1) {
      throw new StreamBroken(`position ${event.position} came after ${position}`);
    }
    position = event.position;
    sum += event.cents;
  }
  if (sum !== sumCents) throw new StreamBroken(`events up to ${position} do not add up to ${sumCents} cents`);
}

function pauseMs(attempts: number): number {
  return Math.random() * Math.min(PAUSE_MS_MAX, PAUSE_FIRST_MS * 2 ** Math.min(attempts, 10));
}
