//! How bodies are read.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::{Map, Value};

/// Reads a value from an object alone; a list of values in the order of the fields would do otherwise.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(reader: D) -> Result<T, D::Error> {
    let map: Map<String, Value> = Map::deserialize(reader)?;
    serde_json::from_value(map.into()).map_err(Error::custom)
}
