//! A BERT encoder in this process: sentence vectors and in-context token vectors from one pass.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::Tokenizer;

use crate::{Embedding, Input, ModelError, safetensors};

/// Own tokens read of a text.
const OWN_TOKENS: usize = 128;
/// Tokens read of text and context together, the two special ones included.
const ALL_TOKENS: usize = 192;

/// A BERT model with its tokenizer. Shared by threads; holds its weights once (f32).
///
/// The sentence vector is the mean of the text's own token vectors, taken in context: on LoCoMo it ranks better than
/// the mean over the whole input, and one pass gives both kinds of vectors.
pub struct LocalModel {
    id: String,
    model: BertModel,
    tokenizer: Tokenizer,
    dim: usize,
    max_tokens: usize,
    first: u32,
    last: u32,
}

impl LocalModel {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` of a directory.
    ///
    /// # Errors
    /// [`ModelError::Load`] when a file is missing or is not what its name says.
    pub fn load(directory: &Path) -> Result<Self, ModelError> {
        let file = |name: &str| directory.join(name);
        let config = fs::read(file("config.json"))
            .map_err(|e| ModelError::load(format!("{}: {e}", file("config.json").display())))?;
        let config: Config =
            serde_json::from_slice(&config).map_err(|e| ModelError::load(format!("config.json: {e}")))?;
        let mut tokenizer = Tokenizer::from_file(file("tokenizer.json"))
            .map_err(|e| ModelError::load(format!("tokenizer.json: {e}")))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(ModelError::load)?;
        let special = |name: &str| {
            let id = tokenizer.token_to_id(name);
            id.ok_or_else(|| ModelError::load(format!("tokenizer.json has no {name}")))
        };
        let (first, last) = (special("[CLS]")?, special("[SEP]")?);
        let tensors = safetensors::read(&file("model.safetensors"))?;
        let id = model_name(config.hidden_size, &tensors)?;
        let weights = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let model = BertModel::load(weights, &config)
            .map_err(|e| ModelError::load(format!("model.safetensors: {e}")))?;
        let max_tokens = config.max_position_embeddings.min(ALL_TOKENS);
        Ok(Self { id, model, tokenizer, dim: config.hidden_size, max_tokens, first, last })
    }

    /// Name of the model.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Components of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Embeds one text. Blocks for some 10 ms.
    ///
    /// # Errors
    /// [`ModelError::Model`] when the tokenizer or the model fails.
    pub fn embed(&self, input: &Input) -> Result<Embedding, ModelError> {
        let failed = |e: &dyn std::fmt::Display| ModelError::Model { what: e.to_string() };
        let own = self.tokenizer.encode(input.text.as_str(), false).map_err(|e| failed(&e))?;
        let own_count = own.len().min(OWN_TOKENS).min(self.max_tokens - 2);
        let context = match &input.context {
            Some(context) => {
                self.tokenizer.encode(context.as_str(), false).map_err(|e| failed(&e))?.get_ids().to_vec()
            }
            None => Vec::new(),
        };
        let context = &context[context.len() - context.len().min(self.max_tokens - 2 - own_count)..];
        let mut ids = Vec::with_capacity(context.len() + own_count + 2);
        ids.push(self.first);
        ids.extend_from_slice(context);
        ids.extend_from_slice(&own.get_ids()[..own_count]);
        ids.push(self.last);
        let rows = self.forward(&ids).map_err(|e| failed(&e))?;
        let from = (1 + context.len()) * self.dim;
        let mut tokens = rows[from..from + own_count * self.dim].to_vec();
        tokens.chunks_exact_mut(self.dim).for_each(to_unit);
        let vector = mean(&tokens, self.dim);
        Ok(Embedding { vector, tokens, spans: own.get_offsets()[..own_count].to_vec() })
    }

    /// Last-layer vectors `[ids, dim]`.
    fn forward(&self, ids: &[u32]) -> candle_core::Result<Vec<f32>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        let types = ids.zeros_like()?;
        self.model.forward(&ids, &types, None)?.flatten_all()?.to_vec1()
    }
}

/// Dimension and a checksum (FNV-1a) of the small weights: the same model has the same name in any directory.
fn model_name(dim: usize, tensors: &HashMap<String, Tensor>) -> Result<String, ModelError> {
    let mut small: Vec<_> = tensors.iter().filter(|(_, t)| t.elem_count() <= 4 * dim).collect();
    small.sort_unstable_by_key(|(name, _)| *name);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (_, tensor) in small {
        let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(ModelError::load)?;
        for byte in values.iter().flat_map(|v| v.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("bert-{dim}-{:08x}", hash >> 32))
}

/// Mean of rows, brought to unit length.
fn mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dim];
    for row in rows.chunks_exact(dim) {
        for (total, value) in sum.iter_mut().zip(row) {
            *total += value;
        }
    }
    to_unit(&mut sum);
    sum
}

/// Brings a vector to unit length; a vector of zeros stays.
pub(crate) fn to_unit(vector: &mut [f32]) {
    let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    if norm > 0.0 {
        for value in vector {
            *value /= norm;
        }
    }
}
