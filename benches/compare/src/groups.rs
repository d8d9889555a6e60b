//! The groups that there are. Each lives in a room of its own: a [`Group`] and the cases that it makes.

use crate::case::Group;
use crate::{ipc, kernel, threads};

pub const GROUPS: &[Group] = &[kernel::GROUP, threads::GROUP, ipc::GROUP];
