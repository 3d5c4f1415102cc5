// Client of samenloop: sends declarations over RabbitMQ, follows settlements and confirms payments over gRPC.
// Everything is delivered at least once; each class says how a repetition is known.
export { Declarations, NotTaken } from "./declarations.js";
export { credentials, Refused, Settlements, StreamBroken } from "./settlements.js";
export type { Balance, Entry, Event, Payment, SnapshotEnd } from "./settlements.js";
