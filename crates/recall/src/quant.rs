//! Vectors in few bits: 8-bit rows with a scale, 1-bit signs, and a query cut into bit planes to meet them.

#![allow(clippy::inline_always, reason = "only inlined code is compiled for the processor found at run time")]

use serde::{Deserialize, Serialize};

/// Bits a query component keeps against 1-bit documents.
const PLANES: usize = 4;
/// Query components are clipped at this many standard deviations before they are cut into levels.
const CLIP: f32 = 2.7;
/// Mean size of a unit vector's component times √dim, for normal components: √(2/π).
const SIGN_NORM: f32 = 0.797_884_6;

/// A sentence vector in 8 bits a component; `codes[i] · scale` is component i.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vector {
    scale: f32,
    codes: Vec<i8>,
}

impl Vector {
    /// Rounds a vector of any length to 8 bits. Components that are not finite count as 0.
    pub fn quantise(values: &[f32]) -> Self {
        let clean = |v: f32| if v.is_finite() { v } else { 0.0 };
        let peak = values.iter().map(|&v| clean(v).abs()).fold(0.0, f32::max);
        let scale = if peak > 0.0 { peak / 127.0 } else { 1.0 };
        Self { scale, codes: values.iter().map(|&v| (clean(v) / scale).round() as i8).collect() }
    }

    /// Puts a stored vector together again: `bytes[i]` is the two's complement of component i over `scale`.
    pub fn from_bytes(scale: f32, bytes: &[u8]) -> Self {
        Self { scale, codes: bytes.iter().map(|&b| b as i8).collect() }
    }

    /// The bytes to store, one a component, beside [`Vector::scale`].
    pub fn to_bytes(&self) -> Vec<u8> {
        self.codes.iter().map(|&c| c as u8).collect()
    }

    /// Value of one step.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Components in steps.
    pub fn codes(&self) -> &[i8] {
        &self.codes
    }
}

/// Packs the signs of token vectors `[n, dim]`, laid out row after row, into `[n, dim / 8 rounded up]` bytes.
///
/// Bit `i % 8` of byte `i / 8` of a row is set where component i is above 0: 48 bytes a token at 384.
pub fn sign_codes(rows: &[f32], dim: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len().div_ceil(8));
    for row in rows.chunks_exact(dim.max(1)) {
        out.extend(row.chunks(8).map(|eight| {
            eight.iter().zip(0..).fold(0_u8, |byte, (&v, bit)| byte | u8::from(v > 0.0) << bit)
        }));
    }
    out
}

/// Packs the signs of 8-bit codes into words, bit `i % 64` of word `i / 64`.
pub(crate) fn pack_signs(codes: &[i8], out: &mut [u64]) {
    for (word, chunk) in out.iter_mut().zip(codes.chunks(64)) {
        *word = chunk.iter().zip(0..).fold(0, |bits, (&c, bit)| bits | u64::from(c > 0) << bit);
    }
}

/// A query vector in 16 bits: products with 8-bit rows are exact integers, equal on every machine.
pub(crate) struct Wide {
    codes: Vec<i16>,
    scale: f32,
}

impl Wide {
    pub(crate) fn new(values: &[f32]) -> Self {
        // 127 · limit · dim stays below 2³¹.
        let limit = (16_000_000 / values.len().max(1)).min(8_191) as f32;
        let peak = values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).fold(0.0, f32::max);
        let scale = if peak > 0.0 { peak / limit } else { 1.0 };
        Self { scale, codes: values.iter().map(|v| (v / scale).round() as i16).collect() }
    }

    /// Dot product with an 8-bit row.
    #[inline(always)]
    pub(crate) fn dot(&self, row: &[i8], row_scale: f32) -> f32 {
        let sum: i32 = self.codes.iter().zip(row).map(|(&q, &d)| i32::from(q) * i32::from(d)).sum();
        sum as f32 * self.scale * row_scale
    }
}

/// A query vector in 4-bit levels, sliced into bit planes: its product with a 1-bit row is five bit counts a word.
pub(crate) struct Planes {
    words: usize,
    /// `[words][PLANES]`.
    bits: Vec<[u64; PLANES]>,
    /// What the product with an all-zero row would be.
    base: i32,
    unit: f32,
}

impl Planes {
    pub(crate) fn new(values: &[f32]) -> Self {
        let dim = values.len();
        let words = dim.div_ceil(64);
        let top = ((1 << PLANES) - 1) as f32;
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        let step = (2.0 * CLIP * norm / (dim.max(1) as f32).sqrt() / top).max(f32::MIN_POSITIVE);
        let (mut bits, mut sum) = (vec![[0; PLANES]; words], 0_i32);
        for (i, v) in values.iter().enumerate() {
            let level = (v / step + top / 2.0).round().clamp(0.0, top) as u64;
            sum += level as i32;
            for (plane, word) in bits[i / 64].iter_mut().enumerate() {
                *word |= (level >> plane & 1) << (i % 64);
            }
        }
        let base = 15 * dim as i32 - 2 * sum;
        let unit = if norm > 0.0 { step / 2.0 / ((dim as f32).sqrt() * SIGN_NORM) } else { 0.0 };
        Self { words, bits, base, unit }
    }

    /// Calls `each` with the integer product of the query's odd levels (−15…15) and each row of signs in turn.
    ///
    /// Padding bits of rows must be 0. Wants to be inlined into code compiled for the processor at hand: bit counts
    /// are one instruction there, hence the plain loops and the fixed widths of common models.
    #[inline(always)]
    pub(crate) fn for_each_dot(&self, rows: &[u64], mut each: impl FnMut(usize, i32)) {
        match self.words {
            6 => self.fixed::<6>(rows, &mut each),
            12 => self.fixed::<12>(rows, &mut each),
            16 => self.fixed::<16>(rows, &mut each),
            0 => {}
            words => {
                for (i, row) in rows.chunks_exact(words).enumerate() {
                    each(i, self.product(&self.bits, row));
                }
            }
        }
    }

    #[inline(always)]
    fn fixed<const W: usize>(&self, rows: &[u64], each: &mut impl FnMut(usize, i32)) {
        let Ok(bits) = <&[[u64; PLANES]; W]>::try_from(self.bits.as_slice()) else {
            return;
        };
        for (i, row) in rows.as_chunks::<W>().0.iter().enumerate() {
            each(i, self.product(bits, row));
        }
    }

    #[inline(always)]
    fn product(&self, bits: &[[u64; PLANES]], row: &[u64]) -> i32 {
        let mut weighted = 0;
        let mut ones = 0;
        for (planes, word) in bits.iter().zip(row) {
            ones += word.count_ones();
            weighted += (planes[0] & word).count_ones()
                + 2 * (planes[1] & word).count_ones()
                + 4 * (planes[2] & word).count_ones()
                + 8 * (planes[3] & word).count_ones();
        }
        self.base + 4 * weighted as i32 - 30 * ones as i32
    }

    /// Turns a product into an estimate of the cosine.
    #[inline(always)]
    pub(crate) fn cosine(&self, dot: i32) -> f32 {
        dot as f32 * self.unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(dim: usize, step: f32) -> Vec<f32> {
        let raw: Vec<f32> =
            (0..dim).map(|i| (i as f32 * step).sin() + (i as f32 * step * 2.7).cos()).collect();
        let norm = raw.iter().map(|v| v * v).sum::<f32>().sqrt();
        raw.iter().map(|v| v / norm).collect()
    }

    #[test]
    fn eight_bits_keep_the_cosine() {
        let (a, b) = (wave(384, 0.37), wave(384, 0.38));
        let exact: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        let row = Vector::quantise(&b);
        assert!((Wide::new(&a).dot(row.codes(), row.scale()) - exact).abs() < 0.01);
        assert_eq!(Vector::from_bytes(row.scale(), &row.to_bytes()), row);
    }

    #[test]
    fn bit_planes_equal_the_plain_sum() {
        let (a, b) = (wave(130, 0.9), wave(130, 0.91));
        let planes = Planes::new(&a);
        let mut signs = vec![0; 3];
        pack_signs(Vector::quantise(&b).codes(), &mut signs);
        let step = 2.0 * CLIP / 130_f32.sqrt() / 15.0;
        let expected: i32 = a
            .iter()
            .zip(0..)
            .map(|(v, i)| {
                let level = 2 * (v / step + 7.5).round().clamp(0.0, 15.0) as i32 - 15;
                if signs[i / 64] >> (i % 64) & 1 == 1 { level } else { -level }
            })
            .sum();
        let mut found = Vec::new();
        let rows = [signs.clone(), signs].concat();
        planes.for_each_dot(&rows, |row, dot| {
            found.push((row, dot));
        });
        assert_eq!(found, [(0, expected), (1, expected)]);
    }

    #[test]
    fn sign_codes_are_a_bit_a_component() {
        assert_eq!(sign_codes(&[1.0, -1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 2.0, 3.0, -1.0], 5), [0b00101, 0b01100]);
    }

    #[test]
    fn odd_vectors_are_safe() {
        for values in [vec![], vec![0.0; 7], vec![f32::NAN; 3], vec![f32::INFINITY, 1.0]] {
            let row = Vector::quantise(&values);
            let _ = Wide::new(&values).dot(row.codes(), row.scale());
            Planes::new(&values).for_each_dot(&[0], |_, _| {});
        }
    }
}
