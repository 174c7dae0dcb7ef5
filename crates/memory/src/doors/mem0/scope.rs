//! From mem0's ids and filters to ours: whose memory is asked, and under which conditions.

use kernel::{Error, Result};
use serde_json::{Map, Value, json};

use super::model::{APP, Entities};

/// Names of mem0's filters that stand for nothing here.
const FOREIGN: [&str; 3] = ["keywords", "memory_ids", "feedback"];

/// Whose memory is meant, under which conditions; in our words.
#[derive(Debug, PartialEq)]
pub(super) struct Scope {
    pub(super) owner: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) session: Option<String>,
    pub(super) filters: Map<String, Value>,
}

impl Scope {
    /// Translates a request's ids and filters.
    ///
    /// # Errors
    /// `validation_failed` with the place.
    pub(super) fn new(named: Entities, filters: &Map<String, Value>) -> Result<Self> {
        let mut reader = Reader { owner: named.user };
        let mut filters = reader.read("filters", filters, true)?;
        filters.extend(named.app.map(|app| (format!("metadata.{APP}"), app.into())));
        Ok(Self { owner: reader.owner, agent: named.agent, session: named.run, filters })
    }
}

struct Reader {
    owner: Option<String>,
}

impl Reader {
    /// Translates conditions that must all be met. `is_certain` while nothing stands around them but `AND`.
    fn read(
        &mut self,
        place: &str,
        given: &Map<String, Value>,
        is_certain: bool,
    ) -> Result<Map<String, Value>> {
        let mut ours = Map::new();
        for (key, value) in given {
            let place = format!("{place}.{key}");
            match (key.as_str(), value) {
                ("AND" | "OR", Value::Array(list)) => {
                    let list = self.read_list(&place, list, is_certain && key == "AND")?;
                    ours.insert(key.clone(), list);
                }
                ("NOT", Value::Array(list)) => {
                    let any = self.read_list(&place, list, false)?;
                    ours.insert(key.clone(), json!({"OR": any}));
                }
                ("NOT", Value::Object(one)) => {
                    let one = self.read(&place, one, false)?;
                    ours.insert(key.clone(), one.into());
                }
                ("AND" | "OR" | "NOT", _) => return Err(Error::field(place, "is a list of conditions")),
                ("user_id", value) => self.take_owner(&place, value, is_certain)?,
                ("metadata", Value::Object(own)) => {
                    ours.extend(own.iter().map(|(key, value)| (format!("metadata.{key}"), condition(value))));
                }
                ("categories", Value::String(tag)) => {
                    ours.insert("tags".to_owned(), json!({"contains": tag}));
                }
                (foreign, _) if FOREIGN.contains(&foreign) => {
                    return Err(Error::field(place, "is not served here; leave it out"));
                }
                (name, value) => {
                    ours.insert(our_name(name), condition(value));
                }
            }
        }
        Ok(ours)
    }

    fn read_list(&mut self, place: &str, list: &[Value], is_certain: bool) -> Result<Value> {
        let read = |(at, one): (usize, &Value)| {
            let place = format!("{place}[{at}]");
            let one = one.as_object().ok_or_else(|| Error::field(&place, "is a condition"))?;
            Ok(Value::Object(self.read(&place, one, is_certain)?))
        };
        list.iter().enumerate().map(read).collect()
    }

    /// The owner is no condition: it says which memory is read at all.
    fn take_owner(&mut self, place: &str, value: &Value, is_certain: bool) -> Result<()> {
        let Some(named) = value.as_str().filter(|name| *name != "*" && is_certain) else {
            let text = "names one user, on its own or inside AND: memory is read of one user at a time";
            return Err(Error::field(place, text));
        };
        crate::events::check_name(place, Some(named))?;
        if self.owner.as_ref().is_some_and(|owner| owner != named) {
            return Err(Error::field(place, "names another user than the request itself"));
        }
        self.owner = Some(named.to_owned());
        Ok(())
    }
}

fn our_name(theirs: &str) -> String {
    match theirs {
        "agent_id" => "agent_id".to_owned(),
        "run_id" => "session_id".to_owned(),
        "categories" => "tags".to_owned(),
        "created_at" | "updated_at" => "recorded_at".to_owned(),
        own => format!("metadata.{own}"),
    }
}

/// `*` is anything at all; `icontains` is our `contains`, which looks at no case.
fn condition(value: &Value) -> Value {
    match value {
        Value::String(any) if any == "*" => json!({"ne": null}),
        Value::Object(operators) => {
            let ours = |word: &String| if word == "icontains" { "contains".to_owned() } else { word.clone() };
            operators.iter().map(|(word, value)| (ours(word), value.clone())).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(filters: &Value) -> Result<Scope> {
        Scope::new(Entities::default(), filters.as_object().unwrap())
    }

    #[test]
    fn filters_become_ours_and_the_owner_is_taken_out() {
        for (theirs, owner, ours) in [
            (json!({}), None, json!({})),
            (json!({"user_id": "ana"}), Some("ana"), json!({})),
            (
                json!({"AND": [{"user_id": "ana"}, {"agent_id": "*"}]}),
                Some("ana"),
                json!({"AND": [{}, {"agent_id": {"ne": null}}]}),
            ),
            (
                json!({"OR": [{"run_id": "r"}, {"app_id": "a"}]}),
                None,
                json!({"OR": [{"session_id": "r"}, {"metadata.app_id": "a"}]}),
            ),
            (
                json!({"NOT": [{"categories": "red"}]}),
                None,
                json!({"NOT": {"OR": [{"tags": {"contains": "red"}}]}}),
            ),
            (
                json!({"categories": {"in": ["a"]}, "metadata": {"n": {"gte": 2}}}),
                None,
                json!({"tags": {"in": ["a"]}, "metadata.n": {"gte": 2}}),
            ),
            (json!({"city": {"icontains": "li"}}), None, json!({"metadata.city": {"contains": "li"}})),
            (
                json!({"created_at": {"gte": "2026-01-31"}}),
                None,
                json!({"recorded_at": {"gte": "2026-01-31"}}),
            ),
        ] {
            let scope = read(&theirs).unwrap();
            assert_eq!((scope.owner.as_deref(), Value::Object(scope.filters)), (owner, ours), "{theirs}");
        }
    }

    #[test]
    fn an_owner_that_is_not_certain_is_refused() {
        for (theirs, place) in [
            (json!({"OR": [{"user_id": "ana"}, {"agent_id": "x"}]}), "filters.OR[0].user_id"),
            (json!({"NOT": {"user_id": "ana"}}), "filters.NOT.user_id"),
            (json!({"user_id": "*"}), "filters.user_id"),
            (json!({"user_id": {"in": ["ana", "ben"]}}), "filters.user_id"),
            (json!({"AND": [{"user_id": "ana"}, {"user_id": "ben"}]}), "filters.AND[1].user_id"),
            (json!({"AND": [1]}), "filters.AND[0]"),
            (json!({"OR": {}}), "filters.OR"),
            (json!({"memory_ids": ["x"]}), "filters.memory_ids"),
        ] {
            assert_eq!(read(&theirs).unwrap_err().fields[0].field, place, "{theirs}");
        }
    }
}
