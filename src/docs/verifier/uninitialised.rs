//! There is a pointer, or there is none.
//!
//! A variable that nothing was assigned to is not used.
//!
//! # dynptr_adjust_invalid
//!
//! It is not adjusted:
//!
//! ```compile_fail,E0381
//! # use dynring::View;
//! let mut view: View<'_>;
//! view.adjust(1, 2)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::View;
//! let mut view: View<'_>;
//! view = View::new(b"abc");
//! view.adjust(1, 2)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_is_null_invalid
//!
//! It is not even asked whether it is there:
//!
//! ```compile_fail,E0381
//! # use dynring::View;
//! let view: Option<View<'_>>;
//! assert!(view.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::View;
//! let view: Option<View<'_>>;
//! view = None;
//! assert!(view.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_is_rdonly_invalid
//!
//! Nor whether it is read-only:
//!
//! ```compile_fail,E0381
//! # use dynring::View;
//! let view: View<'_>;
//! assert!(view.is_rdonly());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::View;
//! let view: View<'_>;
//! view = View::new(b"abc");
//! assert!(view.is_rdonly());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_size_invalid
//!
//! Nor how long it is:
//!
//! ```compile_fail,E0381
//! # use dynring::View;
//! let view: View<'_>;
//! assert_eq!(view.size(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::View;
//! let view: View<'_>;
//! view = View::new(b"abc");
//! assert_eq!(view.size(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalid1
//!
//! It is not copied:
//!
//! ```compile_fail,E0381
//! # use dynring::View;
//! let view: View<'_>;
//! let clone = view;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::View;
//! let view: View<'_>;
//! view = View::new(b"abc");
//! let clone = view;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
