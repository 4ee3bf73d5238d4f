// SPDX-License-Identifier: Apache-2.0
//! Code of the user that C calls. It must not unwind into C, so every panic ends here.

use std::any::Any;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::AtomicBool;

use crate::c_struct::message_for_c;
use crate::{ffi, Library};

/// Runs `work`; what it panics with is the error.
///
/// What the work had in its hands when it panicked is seen by nobody but the user afterwards, by the
/// rules of the types that he chose (poisoned mutexes): hence `AssertUnwindSafe`.
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = text_of(&*payload);
        // Whoever panics with a value of his own may panic once more when it is dropped.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        text
    })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        String::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        String::from("no text")
    }
}

/// The same for those whose failure ends nothing: a panic becomes a warning of the library.
pub(crate) fn catch_and_warn(library: &Library, who: &str, work: impl FnOnce()) {
    if let Err(text) = catch(work) {
        library.warn(&format!("{who} panicked: {text}"));
    }
}

/// Why a callback is about to fail, for the error of the call that it belongs to.
pub(crate) fn fail_callback(text: &str) -> ffi::furrow_status {
    let message = message_for_c(text);
    // SAFETY: a text that ends with a zero.
    unsafe { ffi::furrow_set_callback_error(message.as_ptr()) };
    ffi::FURROW_CALLBACK_FAILED
}

/// Why something failed, and why that did.
pub(crate) fn text_of_error(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The first argument of a callback that is given by reference.
pub(crate) fn user_pointer<T>(value: &T) -> *mut c_void {
    (value as *const T as *mut T).cast()
}

// C reads one byte.
const _: () = assert!(std::mem::size_of::<AtomicBool>() == 1);

/// An abort flag as C wants it. It reads it atomically, and only during the call.
pub(crate) fn flag_pointer(flag: Option<&AtomicBool>) -> *const u8 {
    flag.map_or(std::ptr::null(), |flag| (flag as *const AtomicBool).cast())
}
