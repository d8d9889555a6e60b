//! What the kernel's verifier rejects of dynamic pointers, and what becomes of it here.
//!
//! The kernel tests its verifier with programs that it must reject: those of `dynptr_fail` in its selftests. What applies to Rust
//! does not compile. Each such program has its name as a heading in one of the modules below, and is followed by its twin,
//! which differs in the one point that matters, and compiles. The programs that the verifier must accept are tests under
//! their names in `tests/dynptr/selftests.rs`.
//!
//! | cases | |
//! |---|---|
//! | reservations | [`release`] |
//! | clones of them | [`clones`] |
//! | slices | [`slices`] |
//! | packets | [`packets`] |
//! | and their metadata | [`metadata`] |
//! | the pointer itself | [`tampering`] |
//! | pointers to nothing | [`uninitialised`] |
//! | allocations, of which the kernel has only had drafts | [`allocations`] |
//!
//! # What compiles all the same
//!
//! | case | why |
//! |---|---|
//! | `ringbuf_missing_release1`, `ringbuf_missing_release2`, `ringbuf_missing_release_callback` | dropping releases: see [`release`] |
//! | `missing_put`, `missing_put_callback`, `alloc_twice` | the same: see [`allocations`] |
//! | `dynptr_overwrite_ref`, `dynptr_overwrite_ref_last_clone` | assigning drops what was there, which releases it |
//! | `dynptr_slice_var_len1`, `dynptr_slice_var_len2` | a slice knows its length, constant or not |
//! | `test_dynptr_skb_small_buff` | a buffer knows its length: a short one is an error, [`ShortScratch`](crate::DynPtrError::ShortScratch), wherever the bytes lie |
//!
//! `mem::forget` leaves a reservation out. That stalls the ring, and is never unsound.
//!
//! # What does not compile, and would be accepted there
//!
//! | case | why |
//! |---|---|
//! | `dynptr_overwrite_ref_with_clone`, `dynptr_overwrite_ref_clone_slice_valid` | in the kernel, a clone keeps the reservation; here, a view borrows it |
//! | two clones that are written in turn | one [`ViewMut`](crate::ViewMut) borrows the other for as long as it is used |
//!
//! # What is not there
//!
//! | of `dynptr_success` | why |
//! |---|---|
//! | `test_dynptr_skb_tp_btf` | there are no types of programs; `test_skb_readonly` is the same |
//! | `test_dynptr_skb_meta_flags` | there are no flags |
//! | `test_probe_read_user_dynptr`, `test_copy_from_user_dynptr`, `test_copy_from_user_task_dynptr` | no memory but this process's |
//! | `test_probe_read_user_str_dynptr`, `test_probe_read_kernel_str_dynptr`, `test_copy_from_user_str_dynptr`, `test_copy_from_user_task_str_dynptr` | the same; text has a length |
//!
//! Nor are there pointers to files (`bpf_dynptr_from_file`).

pub mod allocations;
pub mod clones;
pub mod metadata;
pub mod packets;
pub mod release;
pub mod slices;
pub mod tampering;
pub mod uninitialised;
