//! Rows of the application's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blockqueue::{SqlRows, SqlValue};
use serde_json::{Value, json};

use super::ToJson;

impl ToJson for SqlRows {
    fn to_json(&self) -> Value {
        let row = |row: &Vec<SqlValue>| row.iter().map(ToJson::to_json).collect::<Value>();
        json!({ "columns": self.columns, "rows": self.rows.iter().map(row).collect::<Value>() })
    }
}

impl ToJson for SqlValue {
    fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(integer) => json!(integer),
            Self::Real(real) => json!(real),
            Self::Text(text) => json!(text),
            Self::Blob(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
        }
    }
}
