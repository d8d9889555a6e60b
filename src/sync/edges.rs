//! What names orderings.

/// Names orderings, each of which a model can weaken: `edges!("VARIABLE": names)`. The environment of a model's program has the name of
/// the weak one in that variable.
macro_rules! edges {
    ($variable:literal: $($(#[$doc:meta])* $name:ident,)*) => {
        /// One ordering of the protocol: the half of a synchronises-with edge that one access provides.
        ///
        /// Partners and proofs are in `docs`; for each edge, a model in `loom_tests` fails when the edge is weakened to
        /// `Relaxed` (a fence: left out).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Edge {
            $($(#[$doc])* $name,)*
        }

        #[cfg(dynring_loom)]
        impl Edge {
            /// Every edge.
            pub const ALL: &[Edge] = &[$(Edge::$name,)*];
            /// What tells a program which edge to weaken.
            pub const VARIABLE: &str = $variable;
        }

        /// `Acquire`, or `Relaxed` in a model that weakens `edge`.
        #[inline(always)]
        pub fn acquire(edge: Edge) -> $crate::sync::Ordering {
            if weakened(edge) { $crate::sync::Ordering::Relaxed } else { $crate::sync::Ordering::Acquire }
        }

        /// `Release`, or `Relaxed` in a model that weakens `edge`.
        #[inline(always)]
        pub fn release(edge: Edge) -> $crate::sync::Ordering {
            if weakened(edge) { $crate::sync::Ordering::Relaxed } else { $crate::sync::Ordering::Release }
        }

        #[cfg(not(dynring_loom))]
        #[inline(always)]
        pub(super) fn weakened(_: Edge) -> bool {
            false
        }

        #[cfg(dynring_loom)]
        pub(super) fn weakened(edge: Edge) -> bool {
            static WEAKENED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
            let name = WEAKENED.get_or_init(|| std::env::var($variable).ok());
            name.as_deref().is_some_and(|name| name == format!("{edge:?}"))
        }
    };
}
pub(crate) use edges;
