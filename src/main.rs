//! The `bourse` command.

fn main() -> std::process::ExitCode {
    bourse::cli::run()
}
