//! The inner loops, compiled for the processor found at run time.
//!
//! Types rather than closures: only what is inlined into the dispatching function is compiled with the wider
//! instructions, and a closure may be left outside.

#![allow(clippy::inline_always, reason = "only inlined code is compiled for the processor found at run time")]

use pulp::{Arch, Simd, WithSimd};

use crate::quant::{Planes, Wide};

/// Estimated cosines of a query with rows of signs `[n, words]`, written to `out` `[n]`.
pub(crate) fn cosines(planes: &Planes, rows: &[u64], out: &mut [f32]) {
    struct Kernel<'a>(&'a Planes, &'a [u64], &'a mut [f32]);
    impl WithSimd for Kernel<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) {
            let Self(planes, rows, out) = self;
            planes.for_each_dot(rows, |i, dot| {
                if let Some(place) = out.get_mut(i) {
                    *place = planes.cosine(dot);
                }
            });
        }
    }
    Arch::new().dispatch(Kernel(planes, rows, out));
}

/// The best estimated cosine of a query with rows of signs; `rows` holds at least one.
pub(crate) fn best_cosine(planes: &Planes, rows: &[u64]) -> f32 {
    struct Kernel<'a>(&'a Planes, &'a [u64]);
    impl WithSimd for Kernel<'_> {
        type Output = i32;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> i32 {
            let mut best = i32::MIN;
            self.0.for_each_dot(self.1, |_, dot| best = best.max(dot));
            best
        }
    }
    planes.cosine(Arch::new().dispatch(Kernel(planes, rows)))
}

/// Product of a query with an 8-bit row of the same length.
pub(crate) fn dot(query: &Wide, row: &[i8], scale: f32) -> f32 {
    struct Kernel<'a>(&'a Wide, &'a [i8], f32);
    impl WithSimd for Kernel<'_> {
        type Output = f32;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> f32 {
            self.0.dot(self.1, self.2)
        }
    }
    Arch::new().dispatch(Kernel(query, row, scale))
}
