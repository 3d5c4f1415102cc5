// Copies the contracts into the package, and generates the types of their messages.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const ours = fileURLToPath(new URL("../../../proto/samenloop", import.meta.url));
if (existsSync(ours)) {
  rmSync(`${here}proto`, { recursive: true, force: true });
  for (const name of ["declaration", "funding", "settlement"]) {
    cpSync(`${ours}/${name}`, `${here}proto/samenloop/${name}`, { recursive: true });
  }
} else if (!existsSync(`${here}proto/samenloop`)) {
  throw new Error("there is no folder proto: build from the repository, or put a copy of it beside this file");
}
rmSync(`${here}src/generated`, { recursive: true, force: true });
const generator = `${here}node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js`;
// The same options as the client loads the contracts with.
const options = ["--keepCase", "--longs=Number", "--enums=String", "--defaults", "--oneofs"];
const out = ["--grpcLib=@grpc/grpc-js", "--importFileExtension=.js", `--outDir=${here}src/generated`];
const file = "samenloop/settlement/v1/settlement.proto";
const generated = [...options, `--includeDirs=${here}proto`, ...out, file];
execFileSync(process.execPath, [generator, ...generated], { stdio: "inherit" });
