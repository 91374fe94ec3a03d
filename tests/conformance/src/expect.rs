//! Compares an answer with what a script expects of it.
//!
//! An expected object names the members that matter; a list must match item by item; `null` also means
//! absent. An object with one `$` member is a rule: `$length`, `$unordered`, `$between`, `$not`.

use std::fmt;

use serde_json::{Map, Value};

/// Where an answer first differs from what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The place in the answer, for example `items.0.state`; empty for the whole.
    pub path: String,
    /// What was expected there, in words or JSON.
    pub expected: String,
    /// What was there.
    pub found: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the answer" } else { &self.path };
        write!(f, "{place}: expected {}, found {}", self.expected, shorten(&self.found))
    }
}

/// JSON for people: long answers are cut.
pub(crate) fn shorten(value: &Value) -> String {
    const LENGTH_MAX: usize = 600;
    let mut text = value.to_string();
    if text.len() > LENGTH_MAX {
        text.truncate(text.floor_char_boundary(LENGTH_MAX));
        text.push('…');
    }
    text
}

/// Compares; `ignored` names members that are not looked at.
pub(crate) fn compare(
    expected: &Value,
    found: &Value,
    ignored: &[&str],
) -> Result<(), Box<Difference>> {
    Comparison { ignored, path: Vec::new() }.compare(expected, found)
}

struct Comparison<'a> {
    ignored: &'a [&'a str],
    path: Vec<String>,
}

type Compared = Result<(), Box<Difference>>;

impl Comparison<'_> {
    fn compare(&mut self, expected: &Value, found: &Value) -> Compared {
        match (expected, found) {
            (Value::Object(members), _) => match single_rule(expected) {
                Some((rule, argument)) => self.rule(rule, argument, found),
                None => self.members(members, found),
            },
            (Value::Array(items), Value::Array(others)) => {
                if items.len() != others.len() {
                    return self.differs(&format!("{} items", items.len()), found);
                }
                for (index, (item, other)) in items.iter().zip(others).enumerate() {
                    self.inside(index.to_string(), |this| this.compare(item, other))?;
                }
                Ok(())
            }
            (Value::Number(number), Value::Number(other)) if number.as_f64() == other.as_f64() => {
                Ok(())
            }
            _ if expected == found => Ok(()),
            _ => self.differs(&shorten(expected), found),
        }
    }

    fn members(&mut self, expected: &Map<String, Value>, found: &Value) -> Compared {
        if !found.is_object() {
            return self.differs("an object", found);
        }
        for (name, member) in expected {
            if !self.ignored.contains(&name.as_str()) {
                let inner = found.get(name).unwrap_or(&Value::Null);
                self.inside(name.clone(), |this| this.compare(member, inner))?;
            }
        }
        Ok(())
    }

    fn rule(&mut self, rule: &str, argument: &Value, found: &Value) -> Compared {
        let holds = match rule {
            "$length" => {
                let length = match found {
                    Value::Array(items) => Some(items.len() as u64),
                    Value::Object(members) => Some(members.len() as u64),
                    _ => None,
                };
                length.is_some() && length == argument.as_u64()
            }
            "$between" => {
                let bound = |index| argument.get(index).and_then(Value::as_f64);
                matches!((bound(0), bound(1), found.as_f64()),
                    (Some(low), Some(high), Some(number)) if (low..=high).contains(&number))
            }
            "$not" => self.compare(argument, found).is_err(),
            "$unordered" => self.unordered(argument, found),
            _ => false,
        };
        if holds { Ok(()) } else { self.differs(&format!("{rule} {}", shorten(argument)), found) }
    }

    /// Each expected item finds an item of its own.
    fn unordered(&mut self, expected: &Value, found: &Value) -> bool {
        let (Some(items), Some(others)) = (expected.as_array(), found.as_array()) else {
            return false;
        };
        let mut rest: Vec<&Value> = others.iter().collect();
        for item in items {
            let place = rest.iter().position(|other| self.compare(item, other).is_ok());
            match place {
                Some(place) => rest.swap_remove(place),
                None => return false,
            };
        }
        rest.is_empty()
    }

    fn inside(&mut self, name: String, compare: impl FnOnce(&mut Self) -> Compared) -> Compared {
        self.path.push(name);
        let compared = compare(self);
        self.path.pop();
        compared
    }

    fn differs(&self, expected: &str, found: &Value) -> Compared {
        Err(Box::new(Difference {
            path: self.path.join("."),
            expected: expected.to_owned(),
            found: found.clone(),
        }))
    }
}

/// The rule and its argument, if the value is one.
fn single_rule(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    name.starts_with('$').then_some((name.as_str(), argument))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_not_named_do_not_matter() {
        assert!(compare(&json!({"a": 1}), &json!({"a": 1.0, "b": 2}), &[]).is_ok());
        let difference = compare(&json!([{"a": 1}]), &json!([{"a": 2}]), &[]).unwrap_err();
        assert_eq!(difference.path, "0.a");
        assert_eq!(difference.to_string(), "0.a: expected 1, found 2");
        assert!(compare(&json!([{"a": 1}]), &json!([{"a": 2}]), &["a"]).is_ok());
    }

    #[test]
    fn null_means_absent() {
        assert!(compare(&json!({"a": null}), &json!({}), &[]).is_ok());
        assert!(compare(&json!({"a": null}), &json!({"a": 0}), &[]).is_err());
        assert!(compare(&json!({"a": 0}), &json!({}), &[]).is_err());
    }

    #[test]
    fn lists_match_item_by_item() {
        assert!(compare(&json!([1, 2]), &json!([1, 2]), &[]).is_ok());
        assert!(compare(&json!([1, 2]), &json!([2, 1]), &[]).is_err());
        assert!(compare(&json!([1]), &json!([1, 2]), &[]).is_err());
        assert!(compare(&json!([]), &json!({}), &[]).is_err());
    }

    #[test]
    fn rules_look_at_what_cannot_be_spelt_out() {
        assert!(compare(&json!({"$length": 2}), &json!([1, 2]), &[]).is_ok());
        assert!(compare(&json!({"$length": 2}), &json!([1]), &[]).is_err());
        assert!(compare(&json!({"$length": 0}), &json!({}), &[]).is_ok());
        assert!(compare(&json!({"$unordered": [1, 2, 2]}), &json!([2, 1, 2]), &[]).is_ok());
        assert!(compare(&json!({"$unordered": [1, 2, 2]}), &json!([2, 1, 1]), &[]).is_err());
        assert!(compare(&json!({"$between": [1, 2]}), &json!(2), &[]).is_ok());
        assert!(compare(&json!({"$between": [1, 2]}), &json!(3), &[]).is_err());
        assert!(compare(&json!({"$not": 1}), &json!(2), &[]).is_ok());
        assert!(compare(&json!({"$unknown": 1}), &json!(1), &[]).is_err());
    }
}
