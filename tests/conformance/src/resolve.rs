//! Puts saved answers and long values into a step.
//!
//! `"$name.path"` is a part of a saved answer; `{"$repeat": x, "times": n}` is a text or list x,
//! n times over.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The answers saved so far, by name.
pub(crate) type Saved = BTreeMap<String, Value>;

/// Replaces every reference and repetition in a value.
pub(crate) fn resolve(value: &Value, saved: &Saved) -> Result<Value, String> {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(path) => look_up(path, saved),
            None => Ok(value.clone()),
        },
        Value::Array(items) => items.iter().map(|item| resolve(item, saved)).collect(),
        Value::Object(members) => match members.get("$repeat") {
            Some(unit) => repeat(&resolve(unit, saved)?, members),
            None => members
                .iter()
                .map(|(name, member)| Ok((name.clone(), resolve(member, saved)?)))
                .collect(),
        },
        _ => Ok(value.clone()),
    }
}

fn look_up(path: &str, saved: &Saved) -> Result<Value, String> {
    let mut parts = path.split('.');
    let name = parts.next().unwrap_or_default();
    let mut value = saved.get(name).ok_or_else(|| format!("nothing was saved as {name:?}"))?;
    for part in parts {
        let inner = match part.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(part),
        };
        value = inner.ok_or_else(|| format!("the saved answer has no ${path}"))?;
    }
    Ok(value.clone())
}

fn repeat(unit: &Value, members: &Map<String, Value>) -> Result<Value, String> {
    let times = members.get("times").and_then(Value::as_u64).ok_or("a repetition needs times")?;
    let times = usize::try_from(times).map_err(|error| error.to_string())?;
    match unit {
        Value::String(text) => Ok(Value::String(text.repeat(times))),
        Value::Array(items) => Ok(Value::Array(
            std::iter::repeat_n(items, times).flat_map(|items| items.iter().cloned()).collect(),
        )),
        _ => Err("only a text or a list can be repeated".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_reaches_into_lists_and_objects() {
        let saved = Saved::from([("c".to_owned(), json!([{"receipt": "r1"}, {"receipt": "r2"}]))]);
        let step = json!({"receipts": ["$c.1.receipt"], "whole": "$c", "text": "cost"});
        let resolved = resolve(&step, &saved).unwrap();
        assert_eq!(resolved["receipts"], json!(["r2"]));
        assert_eq!(resolved["whole"][0]["receipt"], "r1");
        assert_eq!(resolved["text"], "cost");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let saved = Saved::from([("c".to_owned(), json!([]))]);
        assert!(resolve(&json!("$d"), &saved).is_err());
        assert!(resolve(&json!("$c.0.receipt"), &saved).is_err());
    }

    #[test]
    fn texts_and_lists_are_repeated() {
        let saved = Saved::from([("r".to_owned(), json!("x"))]);
        let repeated = resolve(&json!({"$repeat": ["$r", 1], "times": 2}), &saved).unwrap();
        assert_eq!(repeated, json!(["x", 1, "x", 1]));
        assert_eq!(resolve(&json!({"$repeat": "ab", "times": 3}), &saved).unwrap(), "ababab");
        assert!(resolve(&json!({"$repeat": 1, "times": 3}), &saved).is_err());
    }
}
