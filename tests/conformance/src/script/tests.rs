use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::operation::Operation;

fn operations(script: &Script) -> impl Iterator<Item = &Value> {
    script.steps.iter().filter_map(|step| match &step.action {
        Action::Perform(operation) | Action::Start(_, operation) => Some(operation),
        _ => None,
    })
}

#[test]
fn there_are_at_least_sixty_scripts_and_each_has_a_name_of_its_own_a_rule_and_steps() {
    let scripts = scripts().unwrap();
    assert!(scripts.len() >= 60, "{}", scripts.len());
    let mut names = BTreeSet::new();
    for script in &scripts {
        assert!(names.insert(&script.name), "{} is there twice", script.name);
        assert!(!script.rule.is_empty() && !script.rule.contains('\n'), "{}", script.name);
        assert!(script.steps.len() > 1, "{}", script.name);
    }
}

/// The names that a value refers to.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Some(path) = text.strip_prefix('$') {
                names.push(path.split('.').next().unwrap_or_default().to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => members.values().for_each(|member| references(member, names)),
        _ => {}
    }
}

#[test]
fn every_reference_is_to_an_answer_saved_before() {
    for script in scripts().unwrap() {
        let mut saved: Vec<&str> = Vec::new();
        for (step, number) in script.steps.iter().zip(1..) {
            let mut names = Vec::new();
            if let Action::Perform(operation) | Action::Start(_, operation) = &step.action {
                references(operation, &mut names);
            }
            step.expect.iter().for_each(|expected| references(expected, &mut names));
            for name in names {
                assert!(saved.contains(&name.as_str()), "{} step {number}: {name}", script.name);
            }
            saved.extend(step.save.as_deref());
        }
    }
}

#[test]
fn every_start_is_joined() {
    for script in scripts().unwrap() {
        let mut open = BTreeSet::new();
        for step in &script.steps {
            match &step.action {
                Action::Start(name, _) => assert!(open.insert(name), "{}: {name}", script.name),
                Action::Join(name) => assert!(open.remove(name), "{}: {name}", script.name),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{}: {open:?}", script.name);
    }
}

/// References stand for texts, which is what they are in every operation.
fn typed(operation: &Value) -> Result<Operation, serde_json::Error> {
    let mut plain = operation.clone();
    expand(&mut plain);
    serde_json::from_value(plain)
}

fn expand(value: &mut Value) {
    match value {
        Value::Object(members) => match members.remove("$repeat") {
            Some(mut unit) => {
                expand(&mut unit);
                *value = unit;
            }
            None => members.values_mut().for_each(expand),
        },
        Value::Array(items) => items.iter_mut().for_each(expand),
        _ => {}
    }
}

#[test]
fn every_operation_is_known_and_every_known_operation_is_used() {
    let mut used = BTreeSet::new();
    for script in scripts().unwrap() {
        for operation in operations(&script) {
            if let Err(error) = typed(operation) {
                panic!("{}: {error} in {operation}", script.name);
            }
            used.insert(operation["do"].as_str().unwrap().to_owned());
        }
    }
    // An unknown word is refused with the list of those that are known.
    let unknown = typed(&json!({"do": "?"})).unwrap_err().to_string();
    let known = unknown.split('`').skip(3).step_by(2).map(str::to_owned);
    assert_eq!(used, known.collect());
}

#[test]
fn a_step_with_an_unknown_member_is_refused() {
    let step = json!({"do": "claim", "topic": "t", "subscriber": "s", "wait": 3});
    assert!(typed(&step).unwrap_err().to_string().contains("`wait`"));
}

#[test]
fn a_step_expects_an_answer_or_an_error_and_a_join_does_nothing_else() {
    for step in [
        json!({"do": "topic", "topic": "t", "expect": {}, "error": "unknown_topic"}),
        json!({"join": "c", "do": "topic"}),
        json!({"expect": 1}),
        json!({"do": "advance"}),
    ] {
        assert!(parse_step(step.as_object().unwrap().clone()).is_err(), "{step}");
    }
}
