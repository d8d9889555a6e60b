//! The program, from the outside.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dynring-compare")).args(arguments).output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_explains_every_group() {
    let help = said(&["--help"]);
    for group in ["kernel", "threads", "growth", "idle", "sleeper", "bandwidth", "ipc"] {
        assert!(help.contains(&format!("\n  {group}: ")), "{group} is not explained");
    }
}

#[test]
fn every_peer_has_a_case() {
    let list = said(&["--list", "--only", "threads", "--only", "ipc"]);
    let peers = "rtrb, disruptor single, disruptor multi, nexus-logbuf, aeron-rs, ArrayQueue, crossbeam-channel, thingbuf, kanal, \
                 bbqueue, std sync_channel, iceoryx2, pipe, SOCK_SEQPACKET, ipc-channel";
    for peer in peers.split(", ") {
        assert!(list.contains(peer), "{peer} is not there");
    }
}

#[test]
fn what_was_measured_is_written_and_plotted_and_plotted_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    said(&["--smoke", "--only", "idle", "--output", &path("once")]);
    said(&["--plot", &path("once/results.json"), "--output", &path("again")]);
    for name in ["results.json", "idle.svg"] {
        let [once, again] = ["once", "again"].map(|run| std::fs::read(path(run) + "/" + name).unwrap());
        assert!(once == again, "{name} differs");
    }
}

#[test]
fn no_time_at_all_is_refused() {
    let output = run(&["--minutes", "0"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than 0"), "{output:?}");
}
