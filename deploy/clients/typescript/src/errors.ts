// Why the service refused a call, as the details of its status say it.
import { status, type ServiceError } from "@grpc/grpc-js";
import protobuf from "protobufjs";

// The two messages of google.rpc that an error of the API carries; more of them is not read.
const SOURCE = `
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
`;
const DETAILS = protobuf.parse(SOURCE, { keepCase: true }).root;
const STATUS = DETAILS.lookupType("Status");
const ERROR_INFO = DETAILS.lookupType("ErrorInfo");
const ERROR_INFO_URL = "type.googleapis.com/google.rpc.ErrorInfo";

/** The service refused a call: `reason` is for programs, and `metadata` says more by key. */
export class Refused extends Error {
  readonly code: status;
  readonly reason: string;
  readonly metadata: Record<string, string>;

  constructor(error: ServiceError) {
    const info = errorInfo(error);
    super(`${status[error.code]} ${info.reason}: ${error.details}`, { cause: error });
    this.code = error.code;
    this.reason = info.reason;
    this.metadata = info.metadata;
  }
}

const PASSING: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
];

/** What may go by itself: the call is made again. */
export function isPassing(error: unknown): boolean {
  return isServiceError(error) && PASSING.includes(error.code);
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}

function errorInfo(error: ServiceError): { reason: string; metadata: Record<string, string> } {
  // An error that the network made has no details.
  for (const bytes of error.metadata?.get("grpc-status-details-bin") ?? []) {
    if (typeof bytes === "string") continue;
    const { details } = STATUS.toObject(STATUS.decode(bytes), { arrays: true }) as {
      details: { type_url: string; value: Uint8Array }[];
    };
    const found = details.find((detail) => detail.type_url === ERROR_INFO_URL);
    if (found) {
      const options = { defaults: true, objects: true };
      return ERROR_INFO.toObject(ERROR_INFO.decode(found.value), options) as ReturnType<typeof errorInfo>;
    }
  }
  return { reason: "", metadata: {} };
}
