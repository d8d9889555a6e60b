//! Frames of the loopback interface, as they go by. Needs CAP_NET_RAW.

#![expect(unsafe_code, reason = "packet(7) sockets are not in the standard library")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

/// A socket that sees what the loopback interface receives.
#[derive(Debug)]
pub(crate) struct Capture {
    socket: OwnedFd,
}

impl Capture {
    /// Waits for a frame for `patience` at most.
    pub(crate) fn on_loopback(patience: Duration) -> io::Result<Self> {
        // Nothing is captured before it is bound to an interface and a protocol.
        // SAFETY: no preconditions.
        let socket = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the kernel has just opened it, and nobody else owns it.
        let capture = Self { socket: unsafe { OwnedFd::from_raw_fd(socket) } };
        // Each frame goes out of the loopback interface and comes in: once is enough.
        capture.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)?;
        let patience =
            libc::timeval { tv_sec: patience.as_secs() as libc::time_t, tv_usec: patience.subsec_micros().into() };
        capture.set(libc::SOL_SOCKET, libc::SO_RCVTIMEO, &patience)?;
        capture.bind()?;
        Ok(capture)
    }

    /// The next frame, in `buffer`, which cuts it off at its end; nothing if there is none in time.
    pub(crate) fn next<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        let data = buffer.as_mut_ptr().cast::<c_void>();
        // SAFETY: the buffer is valid for writes of its length.
        let len = unsafe { libc::recv(self.socket.as_raw_fd(), data, buffer.len(), 0) };
        match usize::try_from(len) {
            Ok(len) => Ok(buffer.get(..len)),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                error => Err(error),
            },
        }
    }

    fn set<T>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        let value = std::ptr::from_ref(value).cast::<c_void>();
        // SAFETY: `value` is valid for reads of the size of a `T`.
        let result =
            unsafe { libc::setsockopt(self.socket.as_raw_fd(), level, option, value, size_of::<T>() as socklen_t) };
        check(result).map(drop)
    }

    fn bind(&self) -> io::Result<()> {
        // SAFETY: a C string.
        let index = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
        // SAFETY: zeros are a valid address.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index as c_int;
        let len = size_of_val(&address) as socklen_t;
        // SAFETY: the address is valid for reads of its size.
        check(unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), len) }).map(drop)
    }
}

fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
