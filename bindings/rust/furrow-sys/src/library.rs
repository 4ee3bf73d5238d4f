// SPDX-License-Identifier: Apache-2.0
//! The library as one of its users sees it: where it reports to, what is done with its threads,
//! and memory that calls share. A process may have several, which know nothing of one another.
//!
//! The declarations of `furrow/c/library.h`, which says what they mean.

use std::os::raw::{c_char, c_uint, c_void};

use crate::{furrow_status, Opaque};

/// One user of the library.
#[repr(C)]
pub struct furrow_library {
    _opaque: Opaque,
}

pub type furrow_log_level = c_uint;
/// What a user may want to know, such as why "auto" encodes on the CPU.
pub const FURROW_LOG_NOTE: furrow_log_level = 1;
/// What somebody should look at.
pub const FURROW_LOG_WARNING: furrow_log_level = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct furrow_library_options {
    pub size: usize,
    pub on_log: Option<
        unsafe extern "C" fn(user: *mut c_void, level: furrow_log_level, line: *const c_char),
    >,
    pub log_user: *mut c_void,
    pub on_thread_start: Option<unsafe extern "C" fn(user: *mut c_void, name: *const c_char)>,
    pub on_thread_end: Option<unsafe extern "C" fn(user: *mut c_void, name: *const c_char)>,
    pub thread_user: *mut c_void,
    pub reserved: [u64; 8],
}

extern "C" {
    /// Sets all of it to the defaults.
    pub fn furrow_library_options_init(options: *mut furrow_library_options, size: usize);
    /// Makes a library.
    pub fn furrow_library_create(
        options: *const furrow_library_options,
        library: *mut *mut furrow_library,
    ) -> furrow_status;
    /// Destroys a library.
    pub fn furrow_library_destroy(library: *mut furrow_library);
    /// Bytes of host memory that the library keeps for calls to come (working memory of proofs and
    /// pieces), and lets go when they are released or it is destroyed.
    pub fn furrow_library_kept_memory(
        library: *mut furrow_library,
        bytes: *mut u64,
    ) -> furrow_status;
    /// Lets go what furrow_library_kept_memory counts.
    pub fn furrow_library_release_memory(library: *mut furrow_library) -> furrow_status;
}
