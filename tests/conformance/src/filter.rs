//! Filters on headers, as the model understands them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether headers fulfil a condition, given as JSON.
pub(crate) fn matches(condition: &Value, headers: &BTreeMap<String, String>) -> bool {
    let all = |name: &str| condition.get(name).and_then(Value::as_array);
    if let Some(inner) = condition.get("not") {
        return !matches(inner, headers);
    }
    if let Some(conditions) = all("all") {
        return conditions.iter().all(|condition| matches(condition, headers));
    }
    if let Some(conditions) = all("any") {
        return conditions.iter().any(|condition| matches(condition, headers));
    }
    let name = condition.get("header").and_then(Value::as_str).unwrap_or_default();
    let value = headers.get(name).map(String::as_str);
    if let Some(exists) = condition.get("exists").and_then(Value::as_bool) {
        return value.is_some() == exists;
    }
    let Some(value) = value else { return false };
    let text = |name: &str| condition.get(name).and_then(Value::as_str);
    if let Some(wanted) = text("equals") {
        return value == wanted;
    }
    if let Some(prefix) = text("prefix") {
        return value.starts_with(prefix);
    }
    all("any_of").is_some_and(|values| values.iter().any(|wanted| wanted == value))
}
