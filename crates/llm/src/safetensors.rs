//! Reads a `safetensors` file tensor by tensor, so that the file and the weights are never in RAM together.
//!
//! Format: <https://huggingface.co/docs/safetensors>: eight bytes of header length, a JSON header, then raw data.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::{Device, Tensor};
use serde::Deserialize;

use crate::ModelError;

/// Longest header believed, in bytes.
const HEADER_MAX: u64 = 8 << 20;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

/// Loads all 32-bit float tensors of a file; others (such as position numbers) are passed over.
///
/// # Errors
/// [`ModelError::Load`] when the file cannot be read or contradicts itself.
pub(crate) fn read(path: &Path) -> Result<HashMap<String, Tensor>, ModelError> {
    let name = || path.display().to_string();
    let file = File::open(path).map_err(|e| ModelError::load(format!("{}: {e}", name())))?;
    read_file(file).map_err(|what| ModelError::load(format!("{}: {what}", name())))
}

fn read_file(file: File) -> Result<HashMap<String, Tensor>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let size = file.metadata().map_err(|e| text(&e))?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(|e| text(&e))?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_MAX.min(size) {
        return Err(format!("header of {length} bytes"));
    }
    let mut header = vec![0; length as usize];
    reader.read_exact(&mut header).map_err(|e| text(&e))?;
    let header: HashMap<String, serde_json::Value> = serde_json::from_slice(&header).map_err(|e| text(&e))?;
    let mut tensors = HashMap::new();
    for (name, value) in header {
        if name == "__metadata__" {
            continue;
        }
        let entry: Entry = serde_json::from_value(value).map_err(|e| format!("tensor {name}: {e}"))?;
        if entry.dtype == "F32" {
            let tensor =
                tensor(&mut reader, 8 + length, size, &entry).map_err(|e| format!("tensor {name}: {e}"))?;
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
}

fn tensor(reader: &mut BufReader<File>, base: u64, size: u64, entry: &Entry) -> Result<Tensor, String> {
    let [from, to] = entry.data_offsets;
    let count = entry.shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).ok_or("shape too large")?;
    let bytes = count.checked_mul(4).ok_or("shape too large")? as u64;
    if to.checked_sub(from) != Some(bytes) || to > size.saturating_sub(base) {
        return Err(format!("{from}..{to} does not hold shape {:?}", entry.shape));
    }
    reader.seek(SeekFrom::Start(base + from)).map_err(|e| e.to_string())?;
    let mut values = Vec::with_capacity(count);
    let mut four = [0; 4];
    for _ in 0..count {
        reader.read_exact(&mut four).map_err(|e| e.to_string())?;
        values.push(f32::from_le_bytes(four));
    }
    Tensor::from_vec(values, entry.shape.as_slice(), &Device::Cpu).map_err(|e| e.to_string())
}
