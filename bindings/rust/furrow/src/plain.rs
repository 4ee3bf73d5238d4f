// SPDX-License-Identifier: Apache-2.0
//! Large arrays of bytes that never stand on a stack.

use std::alloc::{alloc_zeroed, handle_alloc_error, Layout};

/// Types that are nothing but bytes.
///
/// # Safety
/// The type has a size, no padding and an alignment of 1, and any bytes are a value of it.
pub(crate) unsafe trait Plain: Sized {}

fn allocate_zeroed<T: Plain>(layout: Layout) -> *mut T {
    assert!(layout.size() != 0, "nothing to allocate");
    // SAFETY: the layout has a size.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory.cast()
}

/// One of them, all zeros.
pub(crate) fn zeroed_box<T: Plain>() -> Box<T> {
    let memory = allocate_zeroed::<T>(Layout::new::<T>());
    // SAFETY: allocated with the layout of T, and zeros are a value of it.
    unsafe { Box::from_raw(memory) }
}

/// Many of them, all zeros.
pub(crate) fn zeroed_vec<T: Plain>(count: usize) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    let layout = Layout::array::<T>(count).expect("more bytes than there are addresses");
    let memory = allocate_zeroed::<T>(layout);
    // SAFETY: allocated with the layout of `count` of them, and zeros are values of T.
    unsafe { Vec::from_raw_parts(memory, count, count) }
}

/// The bytes of a slice of them.
pub(crate) fn bytes_of<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: T is nothing but bytes.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}

/// A type that is an array of bytes, in a box or a vector, with its name for messages.
macro_rules! block_of_bytes {
    ($(#[$attribute:meta])* $name:ident, $size:expr) => {
        $(#[$attribute])*
        #[repr(transparent)]
        #[derive(PartialEq, Eq)]
        pub struct $name([u8; $size]);

        // SAFETY: an array of bytes.
        unsafe impl crate::plain::Plain for $name {}

        impl $name {
            /// Bytes of one.
            pub const SIZE: usize = $size;

            /// Zeros, made where they stay: never on the stack.
            #[must_use]
            pub fn new_boxed() -> Box<Self> {
                crate::plain::zeroed_box()
            }

            /// Many that are zeros, back to back.
            #[must_use]
            pub fn new_zero_vec(count: usize) -> Vec<Self> {
                crate::plain::zeroed_vec(count)
            }

            /// A copy of these bytes, unless they are too few or too many.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Box<Self>> {
                if bytes.len() != Self::SIZE {
                    return None;
                }
                let mut copy = Self::new_boxed();
                copy.0.copy_from_slice(bytes);
                Some(copy)
            }
        }

        impl std::ops::Deref for $name {
            type Target = [u8; $size];
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl AsMut<[u8]> for $name {
            fn as_mut(&mut self) -> &mut [u8] {
                &mut self.0
            }
        }

        impl Clone for Box<$name> {
            fn clone(&self) -> Self {
                let mut copy = $name::new_boxed();
                copy.0.copy_from_slice(&self.0);
                copy
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}({} bytes)", stringify!($name), Self::SIZE)
            }
        }
    };
}
pub(crate) use block_of_bytes;
