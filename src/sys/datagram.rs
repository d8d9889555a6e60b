//! Pairs of datagram sockets: what is sent to one end makes the other readable. unix(7)
//!
//! Sending never blocks, whoever else has the sockets: `MSG_DONTWAIT` holds for the call, whatever the flags and options of the
//! socket are, and nobody waits for somebody else under a lock that sending takes. An eventfd has no such call: write(2) goes by the flags of
//! the open file description, which are everybody's who has it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// More than an end of a [`pair`] has room for, unless somebody has made that larger.
const MOST: usize = 64;

/// socketpair(2): two ends, close-on-exec. The first has room for a few bytes that the second sends; more are refused, since it
/// is readable by then.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: valid for writes of two numbers.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // SAFETY: the call has just opened both, and nobody else owns them.
    let [hears, sends] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
    // The least there is, so that little is to be read.
    set_option(&sends, libc::SO_SNDBUF, 0)?;
    Ok((hears, sends))
}

/// Whether `fd` can be an end of a pair: a datagram socket of the Unix domain, which it then is for good.
pub(crate) fn is_datagram_socket(fd: BorrowedFd<'_>) -> bool {
    option(fd, libc::SO_DOMAIN).is_ok_and(|domain| domain == libc::AF_UNIX)
        && option(fd, libc::SO_TYPE).is_ok_and(|kind| kind == libc::SOCK_DGRAM)
}

/// send(2): makes the other end readable. Never blocks, raises no signal, and does nothing where there is no room, as the other
/// end is readable then, or nobody at the other end.
pub(crate) fn send_byte(end: BorrowedFd<'_>) {
    let byte = 1_u8;
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: valid for reads of its one byte.
    unsafe { libc::send(end.as_raw_fd(), (&raw const byte).cast(), 1, flags) };
}

/// recv(2): reads all that was sent, so that the end is readable no more. Of what somebody sends without an end, it leaves some.
pub(crate) fn drain(end: BorrowedFd<'_>) {
    let mut byte = 0_u8;
    for _ in 0..MOST {
        // SAFETY: valid for writes of its one byte. What is longer is cut short.
        let received = unsafe { libc::recv(end.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_DONTWAIT) };
        if received < 0 && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock {
            break;
        }
    }
}

/// getsockopt(2), of the options that are numbers.
fn option(socket: BorrowedFd<'_>, name: libc::c_int) -> io::Result<libc::c_int> {
    let (mut value, mut len) = (0, size_of::<libc::c_int>() as libc::socklen_t);
    let to = (&raw mut value).cast();
    // SAFETY: both are valid for writes, and `len` is the length of the first.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, to, &raw mut len) })?;
    Ok(value)
}

/// setsockopt(2), of the options that are numbers.
fn set_option(socket: &OwnedFd, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is valid for reads, and has that length.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, (&raw const value).cast(), len) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;
    use crate::sys::memfd;

    fn is_readable(end: &OwnedFd) -> bool {
        let mut poll = libc::pollfd { fd: end.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure, valid for reads and writes.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        ready == 1 && poll.revents & libc::POLLIN != 0
    }

    #[test]
    fn an_end_is_readable_from_when_something_was_sent_until_it_is_drained() -> io::Result<()> {
        let (hears, sends) = pair()?;
        for times in [1, 2, 3, 10_000] {
            assert!(!is_readable(&hears));
            (0..times).for_each(|_| send_byte(sends.as_fd()));
            assert!(is_readable(&hears));
            drain(hears.as_fd());
        }
        assert!(!is_readable(&hears));
        Ok(())
    }

    #[test]
    fn nothing_that_others_do_to_a_socket_makes_sending_block() -> io::Result<()> {
        let (hears, sends) = pair()?;
        for end in [&hears, &sends] {
            // SAFETY: no preconditions.
            check(unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, 0) })?;
        }
        // By far more than there is room for.
        (0..10_000).for_each(|_| send_byte(sends.as_fd()));
        set_option(&sends, libc::SO_SNDBUF, 1 << 20)?;
        (0..100_000).for_each(|_| send_byte(sends.as_fd()));
        drain(hears.as_fd());
        assert!(is_readable(&hears), "it does not read for ever");
        // SAFETY: no preconditions.
        check(unsafe { libc::shutdown(sends.as_raw_fd(), libc::SHUT_RDWR) })?;
        send_byte(sends.as_fd());
        let (hears, sends) = pair()?;
        drop(hears);
        send_byte(sends.as_fd());
        Ok(())
    }

    #[test]
    fn other_descriptors_are_told_apart() -> io::Result<()> {
        let (hears, sends) = pair()?;
        assert!(is_datagram_socket(hears.as_fd()) && is_datagram_socket(sends.as_fd()));
        assert!(is_datagram_socket(UnixDatagram::unbound()?.as_fd()));
        let (stream, _) = UnixStream::pair()?;
        let udp = std::net::UdpSocket::bind("127.0.0.1:0")?;
        let others = [stream.as_fd(), udp.as_fd()];
        assert!(!others.into_iter().any(is_datagram_socket));
        assert!(!is_datagram_socket(File::open("/dev/null")?.as_fd()));
        assert!(!is_datagram_socket(memfd(c"datagram")?.as_fd()));
        Ok(())
    }
}
