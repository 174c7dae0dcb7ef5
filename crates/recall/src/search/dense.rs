//! The dense leg: cosine of turns, spread over their sessions, with each session's best turn as prior.

use pulp::Arch;

use super::spread::{Named, Spread};
use super::view::View;
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
    prior.iter_mut().for_each(|p| *p *= params.dense.session);
    Spread::new(view, &params.dense, named, own, prior, |_| true, 0.0)
}

/// Replaces the cosines of some documents by those of their 8-bit vectors.
pub(crate) fn rescore(view: &View<'_>, query: &[f32], docs: impl Iterator<Item = u32>, own: &mut [f32]) {
    let wide = Wide::new(query);
    Arch::new().dispatch(|| {
        for doc in docs {
            let (index, id) = view.locate(doc);
            let row = index.vectors().row(id).filter(|_| view.is_readable(doc));
            if let Some((codes, scale)) = row.filter(|(codes, _)| codes.len() == query.len()) {
                own[doc as usize] = wide.dot(codes, scale);
            }
        }
    });
}

fn estimate(view: &View<'_>, query: &[f32], own: &mut [f32]) {
    let planes = Planes::new(query);
    for (offset, index) in view.parts().filter(|(_, i)| i.vectors().dim() == query.len()) {
        for (first, signs, scales) in index.vectors().sign_blocks() {
            let start = (offset + first) as usize;
            Arch::new().dispatch(|| cosines(&planes, signs, scales, &mut own[start..start + scales.len()]));
        }
    }
    if let Some(mask) = view.mask() {
        own.iter_mut()
            .zip(mask)
            .filter(|(_, m)| !**m)
            .for_each(|(o, _)| *o = 0.0);
    }
}

#[inline(always)]
fn cosines(planes: &Planes, signs: &[u64], scales: &[f32], out: &mut [f32]) {
    planes.for_each_dot(signs, |row, dot| {
        if scales[row] != 0.0 {
            out[row] = planes.cosine(dot);
        }
    });
}
