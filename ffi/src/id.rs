//! Message ids and receipts: plain bytes that are copied freely, and their texts.

use std::ffi::c_char;

use blockqueue::{Error, MessageId, Receipt, Result};

use crate::arguments::{invalid, item, items_mut, optional_out, out, text};
use crate::error::bq_error;
use crate::guard::guard;
use crate::status::bq_status;

/// The id of a message: the sixteen bytes of a UUID. It sorts by the time of publishing.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct bq_id {
    /// As RFC 9562 orders them.
    pub bytes: [u8; 16],
}

/// The token of one lease: whoever holds it may settle the delivery. Opaque; copy it freely. It may be stored,
/// and used by another process and another language, as bytes or as text.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct bq_receipt {
    /// Opaque.
    pub bytes: [u8; 52],
}

impl From<MessageId> for bq_id {
    fn from(id: MessageId) -> Self {
        Self { bytes: id.as_uuid().into_bytes() }
    }
}

/// A message id that C passes.
///
/// # Safety
/// It is NULL or can be read.
pub(crate) unsafe fn id(id: *const bq_id) -> Result<MessageId> {
    // SAFETY: passed on.
    let id = unsafe { item("the message id", id) }?;
    Ok(MessageId::from_bytes(id.bytes))
}

impl From<&Receipt> for bq_receipt {
    fn from(receipt: &Receipt) -> Self {
        Self { bytes: receipt.to_bytes() }
    }
}

impl bq_receipt {
    pub(crate) fn read(&self) -> Result<Receipt> {
        Receipt::from_bytes(&self.bytes)
    }
}

/// A receipt that C passes.
///
/// # Safety
/// It is NULL or can be read.
pub(crate) unsafe fn receipt(receipt: *const bq_receipt) -> Result<Receipt> {
    // SAFETY: passed on.
    unsafe { item("the receipt", receipt) }?.read()
}

/// Writes the text of an id, such as "01908e5f-7c3a-8000-8000-0123456789ab": 36 characters and a zero.
///
/// `buffer` has room for 37 characters. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_id_text(
    id: *const bq_id,
    buffer: *mut c_char,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes an id, and a buffer of that size.
        let (id, buffer) = unsafe { (self::id(id)?, items_mut("the buffer", buffer, 37)?) };
        copy_text(&id.to_string(), buffer).map(|_| ())
    })
}

/// Reads the text of an id. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_id_parse(
    data: *const c_char,
    len: usize,
    id: *mut bq_id,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a text and a place for the id.
        let (text, id) =
            unsafe { (text("the text", data, len)?, out("the place for the id", id)?) };
        *id = text.parse::<MessageId>()?.into();
        Ok(())
    })
}

/// Writes the text of a receipt, up to 130 URL-safe characters and a zero, and its length without the zero to
/// `len`, which may be NULL.
///
/// `buffer` has room for `capacity` characters; 131 are always enough. Errors: `invalid_argument`,
/// `invalid_receipt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_receipt_text(
    receipt: *const bq_receipt,
    buffer: *mut c_char,
    capacity: usize,
    len: *mut usize,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a receipt, a buffer of that size, and NULL or a place for the length.
        let (receipt, buffer, len) = unsafe {
            let buffer = items_mut("the buffer", buffer, capacity)?;
            (self::receipt(receipt)?, buffer, optional_out(len))
        };
        let written = copy_text(&receipt.to_string(), buffer)?;
        if let Some(len) = len {
            *len = written;
        }
        Ok(())
    })
}

/// Reads the text of a receipt. Errors: `invalid_argument`, `invalid_receipt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_receipt_parse(
    data: *const c_char,
    len: usize,
    receipt: *mut bq_receipt,
    error: *mut *mut bq_error,
) -> bq_status {
    guard(error, || {
        // SAFETY: the caller passes a text and a place for the receipt.
        let (text, receipt) =
            unsafe { (text("the text", data, len), out("the place for the receipt", receipt)?) };
        // What is not even UTF-8 is not a receipt.
        let text =
            text.map_err(|wrong| if data.is_null() { wrong } else { Error::InvalidReceipt })?;
        *receipt = (&text.parse::<Receipt>()?).into();
        Ok(())
    })
}

/// The length without the zero.
fn copy_text(text: &str, buffer: &mut [c_char]) -> Result<usize> {
    let bytes = text.bytes().chain([0]).map(u8::cast_signed);
    if buffer.len() <= text.len() {
        return Err(invalid(format!("the buffer has no room for {} characters", text.len() + 1)));
    }
    for (place, byte) in buffer.iter_mut().zip(bytes) {
        // The sign of C's characters depends on the machine.
        *place = byte as c_char;
    }
    Ok(text.len())
}
