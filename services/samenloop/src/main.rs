//! The executable `samenloop`: parses arguments and starts what they name.

use std::process::ExitCode;

fn main() -> ExitCode {
    samenloop::cli::main()
}
