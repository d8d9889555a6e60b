//! Descriptors that travel over a socket: sendmsg(2), recvmsg(2), unix(7).

use core::mem;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// The most descriptors that one message carries.
pub(crate) const MOST: usize = 4;

/// Bytes of the control data that carries `fds` descriptors.
const fn control_bytes(fds: usize) -> usize {
    // SAFETY: no preconditions.
    unsafe { libc::CMSG_SPACE((fds * size_of::<RawFd>()) as libc::c_uint) as usize }
}

/// Room for the control data of a message of [`MOST`] descriptors, and no more; aligned as a `cmsghdr`.
#[derive(Default)]
struct Control([u64; control_bytes(MOST).div_ceil(size_of::<u64>())]);

const _: () = assert!(control_bytes(MOST) < control_bytes(MOST + 1), "room for one more would let one more through");
const _: () = assert!(align_of::<Control>() >= align_of::<libc::cmsghdr>());

/// Sends `bytes`, of which there is at least one, and duplicates of `fds` with the first of them.
///
/// A stream that does not block, or has a timeout for writing, may fail with some of it sent; then it is of no use any more.
///
/// # Errors
/// `InvalidInput` if `bytes` is empty or `fds` are more than [`MOST`]; else as sendmsg(2), and never SIGPIPE.
pub(crate) fn send(stream: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if bytes.is_empty() || fds.len() > MOST {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut sent = send_some(stream, bytes, fds, &mut Control::default().0)?;
    while sent < bytes.len() {
        // The descriptors have gone with the bytes that have.
        sent += send_some(stream, &bytes[sent..], &[], &mut [])?;
    }
    Ok(())
}

/// Receives bytes, at least one and as many as are there, into `bytes`, and the descriptors that come with them, close-on-exec.
///
/// The stream knows nothing of messages, but that bytes behind those which carry descriptors wait for the next call.
///
/// # Errors
/// - `UnexpectedEof` if the other side has closed the stream.
/// - `InvalidData` if more than [`MOST`] descriptors come, or more than this process may have open: those that have come are
///   closed, the others never opened.
/// - `InvalidInput` if there is no room for a byte; else as recvmsg(2).
pub(crate) fn receive(stream: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    if bytes.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let (mut control, mut part) = (Control::default(), [IoSliceMut::new(bytes)]);
    let mut message = message(part.as_mut_ptr().cast(), &mut control.0);
    let flags = libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the message leads to one part that is valid for writes, and control data that is.
    let received = retry(|| unsafe { libc::recvmsg(stream.as_raw_fd(), &raw mut message, flags) })?;
    // SAFETY: recvmsg(2) has written it.
    let fds = unsafe { take_descriptors(&message) };
    if message.msg_flags & libc::MSG_CTRUNC != 0 {
        let text = format!("a message had more than {MOST} descriptors, or more than this process may have open");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    if received == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((received, fds))
}

/// sendmsg(2) with `SCM_RIGHTS`. How many bytes were sent; `fds` went with the first. `control` has room for them, and is zero.
fn send_some(stream: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>], control: &mut [u64]) -> io::Result<usize> {
    let used = if fds.is_empty() { 0 } else { control_bytes(fds.len()) };
    assert!(used <= size_of_val(control));
    let mut part = [IoSlice::new(bytes)];
    let mut message = message(part.as_mut_ptr().cast(), control);
    message.msg_controllen = used as _;
    if used != 0 {
        // SAFETY: the control data has room for a header and `fds`.
        unsafe { put_descriptors(&message, fds) };
    }
    // SAFETY: the message leads to one part that is valid for reads, and control data that is complete.
    retry(|| unsafe { libc::sendmsg(stream.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) })
}

/// A message of one part, which is an `IoSlice` or `IoSliceMut`: both are promised to be an `iovec`.
fn message(part: *mut libc::iovec, control: &mut [u64]) -> libc::msghdr {
    // SAFETY: all fields are numbers and pointers, which may be zero. (Some C libraries have padding among them.)
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(control) as _;
    message
}

/// Writes the control data that `fds` go with.
///
/// # Safety
/// `message` has control data, valid for writes, with room for as many.
unsafe fn put_descriptors(message: &libc::msghdr, fds: &[BorrowedFd<'_>]) {
    // SAFETY: the caller vouches for the control data, which begins with a header.
    let header = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: no preconditions.
    let length = unsafe { libc::CMSG_LEN(size_of_val(fds) as libc::c_uint) };
    // SAFETY: `header` is within the control data, aligned, and zero so far.
    let fields = unsafe { &mut *header };
    fields.cmsg_level = libc::SOL_SOCKET;
    fields.cmsg_type = libc::SCM_RIGHTS;
    fields.cmsg_len = length as _;
    // SAFETY: as above; what follows the header is within the control data too.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: there is room for `fds`, which are promised to be laid out as their numbers.
    unsafe { data.copy_from_nonoverlapping(fds.as_ptr().cast(), size_of_val(fds)) };
}

/// The descriptors in the control data.
///
/// # Safety
/// `message` is as recvmsg(2) has left it; nobody has taken its descriptors yet.
unsafe fn take_descriptors(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::with_capacity(MOST);
    // SAFETY: the caller vouches for the message.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: null, or a header that the kernel wrote.
    while let Some(header) = unsafe { next.as_ref() } {
        if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // Of another type in some C libraries.
            let length: usize = header.cmsg_len as _;
            // SAFETY: no preconditions.
            let bytes = length - unsafe { libc::CMSG_LEN(0) } as usize;
            // SAFETY: a header that the kernel wrote, with its data behind it.
            let data = unsafe { libc::CMSG_DATA(next) }.cast::<RawFd>();
            for at in 0..bytes / size_of::<RawFd>() {
                // SAFETY: within the data.
                let at = unsafe { data.add(at) };
                // SAFETY: valid for reads, if not aligned.
                let fd = unsafe { at.read_unaligned() };
                // SAFETY: the kernel has just opened it for this process, and nobody else owns it.
                fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
        // SAFETY: both are as the kernel wrote them.
        next = unsafe { libc::CMSG_NXTHDR(message, next) };
    }
    fds
}

/// The bytes that a system call has moved, called again while a signal interrupts it.
fn retry(mut call: impl FnMut() -> libc::ssize_t) -> io::Result<usize> {
    loop {
        match usize::try_from(call()).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;
    use crate::sys::child::Child;
    use crate::sys::stat::status;
    use crate::sys::{check, memfd};

    #[test]
    fn descriptors_arrive_in_order_with_the_bytes() -> io::Result<()> {
        for count in 0..=MOST {
            let (near, far) = UnixStream::pair()?;
            let files = (0..count).map(|_| memfd(c"socket")).collect::<io::Result<Vec<_>>>()?;
            let borrowed: Vec<_> = files.iter().map(AsFd::as_fd).collect();
            send(&near, b"message", &borrowed)?;
            let mut bytes = [0; 100];
            let (received, fds) = receive(&far, &mut bytes)?;
            assert_eq!(&bytes[..received], b"message");
            let inode = |fd: &OwnedFd| status(fd.as_fd()).map(|status| status.inode).ok();
            assert!(fds.iter().map(inode).eq(files.iter().map(inode)), "{count}");
        }
        Ok(())
    }

    #[test]
    fn received_descriptors_are_close_on_exec() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        send(&near, b"x", &[near.as_fd()])?;
        let (_, fds) = receive(&far, &mut [0])?;
        // SAFETY: no preconditions.
        let flags = unsafe { libc::fcntl(fds[0].as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        Ok(())
    }

    #[test]
    fn bytes_for_which_there_is_no_room_come_later_and_the_descriptors_first() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        send(&near, b"abc", &[near.as_fd()])?;
        send(&near, b"d", &[])?;
        let mut bytes = [0; 2];
        let (received, fds) = receive(&far, &mut bytes)?;
        assert_eq!((received, bytes, fds.len()), (2, *b"ab", 1));
        let (received, fds) = receive(&far, &mut bytes)?;
        assert!(received >= 1 && bytes[0] == b'c' && fds.is_empty());
        Ok(())
    }

    #[test]
    fn a_message_larger_than_the_socket_holds_is_sent_whole() -> io::Result<()> {
        let (near, mut far) = UnixStream::pair()?;
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| at as u8).collect();
        let (received, fds) = std::thread::scope(|threads| -> io::Result<_> {
            let sender = threads.spawn(|| send(&near, &bytes, &[near.as_fd()]));
            let mut received = vec![0; bytes.len()];
            let (first, fds) = receive(&far, &mut received)?;
            far.read_exact(&mut received[first..])?;
            sender.join().expect("no panic")?;
            Ok((received, fds.len()))
        })?;
        assert!(received == bytes && fds == 1);
        Ok(())
    }

    #[test]
    fn a_closed_stream_is_an_error_on_either_side_and_no_signal() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        send(&near, b"last", &[])?;
        near.shutdown(std::net::Shutdown::Both)?;
        assert_eq!(receive(&far, &mut [0; 8])?.0, 4);
        assert_eq!(receive(&far, &mut [0; 8]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let sender = Child::fork(|_| {
            // SAFETY: what a signal does by default needs no handler.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            send(&far, b"x", &[]).is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        })?;
        assert!(sender.succeeds()?);
        Ok(())
    }

    #[test]
    fn what_cannot_be_a_message_is_refused() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        let invalid =
            [send(&near, b"", &[]), send(&near, b"x", &[near.as_fd(); MOST + 1]), receive(&far, &mut []).map(drop)];
        for result in invalid {
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        Ok(())
    }

    /// A stream, the other end of which is to be closed everywhere, and that end.
    fn watched() -> io::Result<(UnixStream, UnixStream)> {
        let (watch, watched) = UnixStream::pair()?;
        watch.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok((watch, watched))
    }

    #[test]
    fn more_descriptors_than_expected_are_an_error_and_closed() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        let (mut watch, watched) = watched()?;
        let mut control = [0; control_bytes(MOST + 1).div_ceil(8)];
        send_some(&near, b"x", &[watched.as_fd(); MOST + 1], &mut control)?;
        drop(watched);
        let error = receive(&far, &mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(watch.read(&mut [0])?, 0, "the other end is closed");
        send(&near, b"y", &[])?;
        assert_eq!(receive(&far, &mut [0])?.0, 1, "the stream goes on");
        Ok(())
    }

    #[test]
    fn descriptors_for_which_there_is_no_number_are_an_error_and_the_others_closed() -> io::Result<()> {
        let (near, far) = UnixStream::pair()?;
        let (mut watch, watched) = watched()?;
        send(&near, b"x", &[watched.as_fd(); MOST])?;
        drop(watched);
        let receiver = Child::fork(|_| {
            let Ok(next) = far.try_clone() else { return false };
            // One more, with the number that is free now.
            let most = next.as_raw_fd() as libc::rlim_t + 1;
            let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            drop(next);
            // SAFETY: the pointer is to a limit.
            let limited = check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }).is_ok();
            let error = receive(&far, &mut [0]).err().map(|error| error.kind());
            let free_again = far.try_clone().is_ok();
            limited && error == Some(io::ErrorKind::InvalidData) && free_again
        })?;
        assert!(receiver.succeeds()?);
        assert_eq!(watch.read(&mut [0])?, 0, "the other end is closed");
        Ok(())
    }
}
