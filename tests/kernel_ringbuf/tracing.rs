//! The program of the quickstart.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use crate::reader::Reader;
use crate::support::require_kernel;
use crate::trace::{SyscallEvent, attach};

#[test]
fn the_quickstart_hears_of_system_calls_of_others_and_not_of_its_own() -> Result<(), Box<dyn Error>> {
    if require_kernel(4096).is_none() {
        return Ok(());
    }
    let attached = attach(1 << 20)?;
    let mut reader = Reader::open(&attached)?;
    let mut child = Command::new("true").spawn()?;
    child.wait()?;
    let mut of_child = 0;
    while of_child == 0 {
        assert!(reader.wait(Duration::from_secs(20))?);
        for record in reader.drain()? {
            let event = SyscallEvent::from_record(&record).expect("a record of another length");
            assert_ne!(event.comm(), "");
            assert!(event.time_ns > 0 && event.syscall < 1024, "{event:?}");
            assert_ne!(event.pid, std::process::id());
            of_child += u32::from(event.comm() == "true");
        }
    }
    Ok(())
}
