// Where the examples find settlement: SETTLEMENT, INSURER, and with TLS the files AUTHORITIES, CERTIFICATE and KEY.
import { credentials, Settlements } from "../src/index.js";

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

export function settlements(): Settlements {
  const shown = process.env.CERTIFICATE
    ? credentials(variable("AUTHORITIES"), variable("CERTIFICATE"), variable("KEY"))
    : undefined;
  return new Settlements(variable("SETTLEMENT"), variable("INSURER"), shown);
}
