//! Values of statements, in a form that every language can carry.

/// A value in a database, as statements take it and give it.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

macro_rules! sql_values {
    ($($type:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$type> for SqlValue {
            fn from($value: $type) -> Self {
                $made
            }
        })*
    };
}

sql_values! {
    i64 => |value| Self::Integer(value);
    i32 => |value| Self::Integer(value.into());
    u32 => |value| Self::Integer(value.into());
    bool => |value| Self::Integer(value.into());
    f64 => |value| Self::Real(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
    &[u8] => |value| Self::Blob(value.to_owned());
    Vec<u8> => |value| Self::Blob(value);
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a query answered.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for every column.
    pub rows: Vec<Vec<SqlValue>>,
}
