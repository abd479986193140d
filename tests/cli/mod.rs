//! The command, run as its users run it.

mod apply;
mod bounded;
mod built;
mod diff;
mod exit_codes;
mod fmt;
mod folders;
mod formats;
mod help;
mod holding;
mod import;
mod repl;
mod sarif;
mod snapshots;
mod tables;
mod terminal;
mod testing;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A policy of which one need is met, one partly and one not at all.
pub const DEMO: &str = r#"
class durable for pool {
  media in ["ssd", "nvme"]
  replicas >= 2
}
class rexray for agent { drivers has "rexray" }

broker main {
  domain = "us/a"
  levels region > zone
  expose agent.os
  prefer same-zone: agent.domain within pool.domain weight 50
  prefer fast: pool.iops-per-gb / 3 weight 10
  charge agent.mounts 1 per volume
}

provider scaleio {
  require driver: agent is rexray
  instance aisle {
    domain = "us/a"
    pool hdd { media = "hdd", replicas = 2, resources { size = 100TB, iops = 40k } }
    pool ssd { media = "ssd", replicas = 2, resources { size = 5TB { step = 3GB, max = 4TB }, iops = 900k }
      volume gold { resources { size = 1TB }, filesystem = "ext4" }
    }
  }
}

agent a1 { domain = "us/a", os = "linux", drivers = ["rexray"]
  resources { cpus = 8, mem = 64GiB, mounts = 4, ports = [31000..31003], gpus = ["g0", "g1"] } }
agent a2 { domain = "us/b", drivers = ["docker"]
  resources { cpus = 16, mem = 64GiB, mounts = 4 } }

framework db {
  need ring {
    count = 2
    agent { cpus = 4, ports = 3, gpus = ["g1"], is rexray }
    volume data { size = 2TB, iops = 5k, is durable }
    volume log { size = 500GB, filesystem = "ext4" }
  }
}
need web { agent { cpus = 2, mem = 1GiB } }
need huge { agent { cpus = 100 } }
"#;

/// A scratch folder, and runs of the command in it.
pub struct Folder(TempDir);

/// What a run gave.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    /// With these files.
    pub fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(TempDir::new().expect("a scratch folder"));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bourse"));
        command.args(args).current_dir(self.path());
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, "")
    }

    /// With this on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Output {
        finish(self.command(args), stdin)
    }
}

/// Runs a command to its end.
pub fn finish(mut command: Command, stdin: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    // A command that reads nothing may have ended: that is no failure of the test.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code().expect("no signal"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// JSON of some text.
pub fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// What a schema of ours says against a value.
pub fn schema_problems(schema: &str, value: &serde_json::Value) -> Vec<String> {
    let schema = json(&fs::read_to_string(schema).expect(schema));
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
