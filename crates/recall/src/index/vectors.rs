//! Sentence vectors of an index: 8-bit rows and their 1-bit signs, in blocks so that growth wastes little.

use super::VectorError;
use crate::quant::{Vector, pack_signs};

/// Rows in a block.
const BLOCK: usize = 1_024;

#[derive(Default)]
struct Block {
    /// `[rows, dim]`, rows at most [`BLOCK`].
    codes: Vec<i8>,
    /// `[rows, dim / 64 rounded up]`.
    signs: Vec<u64>,
    /// `[rows]`; 0 where a document has no vector.
    scales: Vec<f32>,
}

/// A sparse matrix with a row a document number.
#[derive(Default)]
pub(crate) struct Matrix {
    dim: usize,
    blocks: Vec<Block>,
    count: usize,
}

impl Matrix {
    /// Dimension of all rows; 0 before the first.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Number of rows that are set.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn set(&mut self, doc: u32, vector: &Vector) -> Result<(), VectorError> {
        let got = vector.codes().len();
        if self.count == 0 && self.dim != got {
            *self = Self { dim: got, ..Self::default() };
        }
        if got != self.dim || got == 0 {
            return Err(VectorError::Dimension { expected: self.dim, got });
        }
        let (block, row) = (doc as usize / BLOCK, doc as usize % BLOCK);
        if block >= self.blocks.len() {
            let missing = block + 1 - self.blocks.len();
            super::grow(&mut self.blocks, missing);
            self.blocks.resize_with(block + 1, Block::default);
        }
        let (dim, words) = (self.dim, self.words());
        let block = &mut self.blocks[block];
        block.reach(row + 1, dim, words);
        block.codes[row * dim..(row + 1) * dim].copy_from_slice(vector.codes());
        pack_signs(vector.codes(), &mut block.signs[row * words..(row + 1) * words]);
        self.count += usize::from(block.scales[row] == 0.0);
        block.scales[row] = vector.scale().max(f32::MIN_POSITIVE);
        Ok(())
    }

    pub(crate) fn clear(&mut self, doc: u32) {
        let (block, row) = (doc as usize / BLOCK, doc as usize % BLOCK);
        let scale = self.blocks.get_mut(block).and_then(|block| block.scales.get_mut(row));
        if let Some(scale) = scale
            && *scale != 0.0
        {
            *scale = 0.0;
            self.count -= 1;
        }
    }

    /// The 8-bit row of a document and its scale.
    #[inline]
    pub(crate) fn row(&self, doc: u32) -> Option<(&[i8], f32)> {
        let (block, row) = (doc as usize / BLOCK, doc as usize % BLOCK);
        let block = self.blocks.get(block)?;
        let scale = *block.scales.get(row)?;
        (scale != 0.0).then(|| (&block.codes[row * self.dim..(row + 1) * self.dim], scale))
    }

    /// Blocks of (first document number, signs `[n, words]`, scales `[n]`).
    pub(crate) fn sign_blocks(&self) -> impl Iterator<Item = (u32, &[u64], &[f32])> {
        self.blocks.iter().zip(0..).map(|(block, i)| (i * BLOCK as u32, &*block.signs, &*block.scales))
    }

    /// Words of signs a row.
    pub(crate) fn words(&self) -> usize {
        self.dim.div_ceil(64)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let rows = |b: &Block| b.codes.capacity() + b.signs.capacity() * 8 + b.scales.capacity() * 4;
        self.blocks.iter().map(rows).sum::<usize>() + self.blocks.capacity() * size_of::<Block>()
    }
}

impl Block {
    /// Makes sure of `rows` rows. Room grows by an eighth, so a small partition stays small.
    fn reach(&mut self, rows: usize, dim: usize, words: usize) {
        if rows <= self.scales.len() {
            return;
        }
        if rows > self.scales.capacity() {
            let room = (rows + (rows / 8).max(4)).min(BLOCK) - self.scales.len();
            self.codes.reserve_exact(room * dim);
            self.signs.reserve_exact(room * words);
            self.scales.reserve_exact(room);
        }
        self.codes.resize(rows * dim, 0);
        self.signs.resize(rows * words, 0);
        self.scales.resize(rows, 0.0);
    }
}
