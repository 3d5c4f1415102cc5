// Declarations of one party over RabbitMQ, and their outcomes.
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from "amqplib";

const DECLARATION_TYPE = "nl.samenloop.declaration.submitted.v1";

// Outcomes that the broker hands out before one is acknowledged.
const PREFETCH = 64;

/** The broker did not take a declaration: send it again, under the same message id. */
export class NotTaken extends Error {}

/** A connection of one user of the broker. */
export class Declarations {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #user: string;
  readonly #queue: string;
  readonly #returned = new Set<string>();
  #failure: Error | undefined;

  private constructor(connection: ChannelModel, channel: ConfirmChannel, user: string, queue: string) {
    this.#connection = connection;
    this.#channel = channel;
    this.#user = user;
    this.#queue = queue;
    channel.on("return", (message) => this.#returned.add(message.properties.messageId));
    // What waits for the connection hears of it; without a listener the process would end.
    connection.on("error", (error) => (this.#failure = error));
    channel.on("error", (error) => (this.#failure = error));
  }

  /** Connects; `party` is the user's party, where that has another name. */
  static async open(url: string, party?: string): Promise<Declarations> {
    const user = decodeURIComponent(new URL(url).username);
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    await channel.prefetch(PREFETCH);
    return new Declarations(connection, channel, user, `outcomes.${party ?? user}`);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /**
   * Sends a declaration, as an object of its JSON form; gives its message id once it is on disk.
   * Sent again under the same message id it gets the same outcome again, and nothing is paid twice.
   */
  async submit(declaration: { message_id: string }): Promise<string> {
    const messageId = declaration.message_id;
    const body = Buffer.from(JSON.stringify(declaration));
    const properties = {
      messageId,
      type: DECLARATION_TYPE,
      contentType: "application/json",
      persistent: true,
      userId: this.#user,
      mandatory: true,
    };
    await new Promise<void>((resolve, reject) => {
      this.#channel.publish("declarations", "", body, properties, (error) =>
        error ? reject(new NotTaken(String(error), { cause: error })) : resolve(),
      );
    });
    // What no queue took comes back before it is confirmed.
    if (this.#returned.delete(messageId)) throw new NotTaken("no queue takes declarations");
    return messageId;
  }

  /**
   * Outcomes and refusals of the party in order, until none came for `waitMs`; without it for ever.
   * Each is acknowledged when the next one is asked for: what is not dealt with by then comes again. An outcome with a
   * version that was seen already changes nothing.
   */
  async *outcomes(waitMs?: number): AsyncGenerator<Record<string, unknown>> {
    const waiting: ConsumeMessage[] = [];
    let wake = (): void => {};
    let ended = false;
    const end = (): void => {
      ended = true;
      wake();
    };
    this.#channel.on("close", end);
    const { consumerTag } = await this.#channel.consume(this.#queue, (message) => {
      if (message) waiting.push(message);
      else ended = true;
      wake();
    });
    try {
      for (;;) {
        if (waiting.length === 0 && !ended) {
          const { promise, resolve } = withResolvers();
          wake = resolve;
          const timer = waitMs === undefined ? undefined : setTimeout(resolve, waitMs);
          await promise;
          clearTimeout(timer);
        }
        const message = waiting.shift();
        if (!message) {
          if (ended) throw this.#failure ?? new Error("the broker ended the consumer");
          return;
        }
        yield JSON.parse(message.content.toString()) as Record<string, unknown>;
        this.#channel.ack(message);
      }
    } finally {
      this.#channel.off("close", end);
      if (!ended) {
        await this.#channel.cancel(consumerTag);
        for (const message of waiting) this.#channel.nack(message);
      }
    }
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
