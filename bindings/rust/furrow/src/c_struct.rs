// SPDX-License-Identifier: Apache-2.0
//! Structs and texts of C.

use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::Error;

/// A struct of the C interface: with `init` as its init function leaves it, otherwise with nothing
/// but its size set, as the library wants those that it fills in.
macro_rules! c_struct {
    ($name:ident) => {{
        // SAFETY: the structs of the interface are integers, pointers and optional functions, for
        // which zeros are values.
        let mut value: crate::ffi::$name = unsafe { std::mem::zeroed() };
        value.size = std::mem::size_of::<crate::ffi::$name>();
        value
    }};
    ($name:ident, $init:ident) => {{
        let mut value = c_struct!($name);
        // SAFETY: the struct is as large as it is said to be.
        unsafe { crate::ffi::$init(&mut value, value.size) };
        value
    }};
}
pub(crate) use c_struct;

/// A text for the library, which has no zeros in it.
pub(crate) fn text_for_c(name: &str, text: impl Into<Vec<u8>>) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::argument(format!("furrow: a zero byte in {name}")))
}

/// A path for the library, as its bytes are.
pub(crate) fn path_for_c(path: &Path) -> Result<CString, Error> {
    text_for_c("a path", path.as_os_str().as_bytes())
}

/// A message for the library. Zeros, which end texts of C, become blanks.
pub(crate) fn message_for_c(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// A text in an array of the library, which ends with a zero.
pub(crate) fn text_from_array(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array
        .iter()
        .map(|c| *c as u8)
        .take_while(|byte| *byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of the library; "" for NULL.
///
/// # Safety
/// NULL, or a text that ends with a zero.
pub(crate) unsafe fn text_from_c(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: it ends with a zero.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
