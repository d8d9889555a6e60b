//! Files that are no rings.

use std::io;

use dynring::kernel::{Observer, OpenError, OverwriteRingBuf, RingBuf, image};

use crate::image::{Image, SIZE, file};
use crate::pages::page_size;

#[test]
fn a_file_is_no_map_whatever_is_in_it() {
    let file = Image::at(0).file();
    let refused = [
        RingBuf::from_fd(&file).map(drop),
        OverwriteRingBuf::from_fd(&file).map(drop),
        Observer::from_fd(&file).map(drop),
    ];
    for refused in refused {
        // Where bpf(2) is forbidden, nobody can tell.
        assert!(matches!(refused, Err(OpenError::NotAMap | OpenError::Permission { .. })), "{refused:?}");
    }
}

#[test]
fn an_image_that_is_cut_short_is_refused_at_every_length() {
    let image = Image::at(0).bytes();
    for len in [0, 7, 8, page_size(), 2 * page_size(), image.len() - 1] {
        let error = image::consumer(&image[..len], SIZE).map(drop).unwrap_err();
        assert!(matches!(&error, OpenError::Os(error) if error.kind() == io::ErrorKind::UnexpectedEof), "{error:?}");
    }
    image::consumer(&image, SIZE).unwrap();
    for (len, whole) in [
        (0, false),
        (image.len(), false),
        (image.len() + SIZE as usize - 1, false),
        (image.len() + SIZE as usize, true),
    ] {
        let file = file();
        file.set_len(len as u64).unwrap();
        match image::overwritten(&file, SIZE) {
            Ok(mut ring) => assert!(whole && ring.snapshot().unwrap().records().next().is_none()),
            Err(error) => {
                assert!(
                    matches!(&error, OpenError::Os(error) if error.kind() == io::ErrorKind::UnexpectedEof),
                    "{error:?}"
                );
                assert!(!whole);
            }
        }
    }
}

#[test]
fn a_size_that_no_ring_has_is_refused() {
    let image = Image::at(0);
    for size in [0, 1, 7, page_size() as u64 / 2, SIZE - 1, SIZE + 1, 3 * SIZE, 1 << 32, u64::MAX] {
        for refused in
            [image::consumer(&image.bytes(), size).map(drop), image::overwritten(image.file(), size).map(drop)]
        {
            assert!(matches!(refused, Err(OpenError::Size(error)) if error.found == size), "{size}: {refused:?}");
        }
    }
}
