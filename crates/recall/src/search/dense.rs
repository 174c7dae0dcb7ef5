//! The dense leg: cosine of turns, spread over their sessions, with each session's best turn as prior.

use super::spread::{Named, Spread};
use super::view::View;
use crate::kernels;
use crate::params::Params;
use crate::quant::{Planes, Wide};

/// Cosines of all documents with a vector: exact (8-bit) for few documents, estimated from signs for many.
pub(crate) fn score(view: &View<'_>, query: &[f32], named: &Named<'_>, params: &Params) -> Spread {
    let mut own = vec![0.0; view.slots()];
    if view.live() <= params.exact_below {
        rescore(view, query, 0..view.slots() as u32, &mut own);
    } else {
        estimate(view, query, &mut own);
    }
    let mut prior = vec![0.0_f32; view.sessions()];
    for (&session, &cosine) in view.session_of.iter().zip(&own) {
        let best = &mut prior[session as usize];
        *best = best.max(cosine);
    }
    for best in &mut prior {
        *best *= params.dense.session;
    }
    Spread::new(view, &params.dense, named, own, prior, |_| true, 0.0)
}

/// Replaces the cosines of some documents by those of their 8-bit vectors.
pub(crate) fn rescore(view: &View<'_>, query: &[f32], docs: impl Iterator<Item = u32>, own: &mut [f32]) {
    let wide = Wide::new(query);
    for doc in docs {
        let (index, id) = view.locate(doc);
        let row = index.vectors().row(id).filter(|_| view.is_readable(doc));
        if let Some((codes, scale)) = row.filter(|(codes, _)| codes.len() == query.len()) {
            own[doc as usize] = kernels::dot(&wide, codes, scale);
        }
    }
}

fn estimate(view: &View<'_>, query: &[f32], own: &mut [f32]) {
    let planes = Planes::new(query);
    for (offset, index) in view.parts().filter(|(_, i)| i.vectors().dim() == query.len()) {
        for (first, signs, scales) in index.vectors().sign_blocks() {
            let start = (offset + first) as usize;
            let out = &mut own[start..start + scales.len()];
            kernels::cosines(&planes, signs, out);
            for (cosine, _) in out.iter_mut().zip(scales).filter(|(_, scale)| **scale == 0.0) {
                *cosine = 0.0;
            }
        }
    }
    if let Some(mask) = view.mask() {
        for (cosine, _) in own.iter_mut().zip(mask).filter(|(_, is_readable)| !**is_readable) {
            *cosine = 0.0;
        }
    }
}
