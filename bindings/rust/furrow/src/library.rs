// SPDX-License-Identifier: Apache-2.0
//! The library as one of its users sees it.

use std::fmt;
use std::os::raw::{c_char, c_void};
use std::ptr::{null_mut, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::c_struct::{c_struct, text_from_c};
use crate::callback::catch;
use crate::error::check;
use crate::{ffi, Error, ErrorKind, Status};

/// How much somebody should care about a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// What a user may want to know, such as why encoding is done on the CPU.
    Note,
    /// What somebody should look at: a device is lost, a piece had to be rebuilt, a closure of the
    /// user panicked.
    Warning,
}

type Log = dyn Fn(Level, &str) + Send + Sync;
type Hook = dyn Fn(&str) + Send + Sync;

#[derive(Default)]
struct Callbacks {
    log: Option<Box<Log>>,
    thread_start: Option<Box<Hook>>,
    thread_end: Option<Box<Hook>>,
}

impl Callbacks {
    fn tell(&self, level: Level, line: &str) {
        if let Some(log) = &self.log {
            // Whom else could one tell?
            let _ = catch(|| log(level, line));
        }
    }

    fn run_hook(&self, hook: &Option<Box<Hook>>, what: &str, thread: &str) {
        if let Some(hook) = hook {
            if let Err(text) = catch(|| hook(thread)) {
                self.tell(
                    Level::Warning,
                    &format!("the hook at the {what} of thread {thread} panicked: {text}"),
                );
            }
        }
    }
}

/// What C has the address of. It is emptied with the library.
struct CallbackCell(Mutex<Option<Arc<Callbacks>>>);

impl CallbackCell {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Callbacks>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the callbacks without the lock, so that closures may do what they like. These may be the
    /// last to hold them, and what is dropped may panic as well.
    fn with(&self, work: impl FnOnce(&Callbacks)) {
        let callbacks = self.lock().clone();
        let _ = catch(move || {
            if let Some(callbacks) = callbacks {
                work(&callbacks);
            }
        });
    }
}

/// One user of the library: where it reports to, what is done with its threads, and memory that
/// calls share. Clones are the same library. Whatever is made from one keeps it.
///
/// ```
/// use furrow::{Level, Library};
///
/// let library = Library::builder()
///     .on_log(|level, line| eprintln!("{level:?}: {line}"))
///     .build()?;
/// assert_eq!(library.kept_memory()?, 0);
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::furrow_library>,
    cell: Arc<CallbackCell>,
    process: u32,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time, and the callbacks are Send and Sync.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: whatever was made from the library keeps it, so this is the last call with it.
        unsafe { ffi::furrow_library_destroy(self.handle.as_ptr()) };
        if std::process::id() != self.process {
            return; // in the child of a fork: a thread that is not here may have the lock
        }
        let callbacks = self.cell.lock().take();
        // Closures of the user may panic when they are dropped, and this may be a callback.
        let _ = catch(|| drop(callbacks));
    }
}

impl Library {
    /// A library that tells nobody anything.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A library whose log and threads somebody wants to know of.
    #[must_use]
    pub fn builder() -> LibraryBuilder {
        LibraryBuilder {
            callbacks: Callbacks::default(),
        }
    }

    /// Bytes of host memory that the library keeps for calls to come (working memory of proofs and
    /// pieces), and lets go when they are released or it is dropped.
    pub fn kept_memory(&self) -> Result<u64, Error> {
        let mut bytes = 0;
        // SAFETY: a library, and where to write.
        check(unsafe { ffi::furrow_library_kept_memory(self.as_ptr(), &mut bytes) })?;
        Ok(bytes)
    }

    /// Lets go what [`Library::kept_memory`] counts.
    pub fn release_memory(&self) -> Result<(), Error> {
        // SAFETY: a library.
        check(unsafe { ffi::furrow_library_release_memory(self.as_ptr()) })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::furrow_library {
        self.0.handle.as_ptr()
    }

    /// Tells the log what this crate has to say.
    pub(crate) fn warn(&self, line: &str) {
        self.0
            .cell
            .with(|callbacks| callbacks.tell(Level::Warning, line));
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Library")
            .field(&self.0.handle)
            .finish()
    }
}

/// Closures for a new [`Library`]. They are called from any thread, several at once. One that panics
/// ends nothing: the log gets to know of it.
pub struct LibraryBuilder {
    callbacks: Callbacks,
}

impl LibraryBuilder {
    /// Told one line at a time, without an end of line and with everything escaped that a terminal
    /// would obey. The library may hold locks meanwhile, so it should not be called from there.
    #[must_use]
    pub fn on_log(mut self, log: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        self.callbacks.log = Some(Box::new(log));
        self
    }

    /// Called first on each thread that is started for this library and what is made from it, with
    /// the name of the thread: the place to set its priority and affinity.
    #[must_use]
    pub fn on_thread_start(mut self, hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.callbacks.thread_start = Some(Box::new(hook));
        self
    }

    /// Called last on each such thread.
    #[must_use]
    pub fn on_thread_end(mut self, hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.callbacks.thread_end = Some(Box::new(hook));
        self
    }

    /// Makes the library.
    pub fn build(self) -> Result<Library, Error> {
        check_version()?;
        let mut options = c_struct!(furrow_library_options, furrow_library_options_init);
        if self.callbacks.log.is_some() {
            options.on_log = Some(on_log);
        }
        if self.callbacks.thread_start.is_some() {
            options.on_thread_start = Some(on_thread_start);
        }
        if self.callbacks.thread_end.is_some() {
            options.on_thread_end = Some(on_thread_end);
        }
        let has_hooks = options.on_thread_start.is_some() || options.on_thread_end.is_some();
        let cell = Arc::new(CallbackCell(Mutex::new(Some(Arc::new(self.callbacks)))));
        if has_hooks {
            // Never freed: a thread that a driver does not give back may end, and call its hook, when
            // everything else is gone.
            std::mem::forget(Arc::clone(&cell));
        }
        let user = Arc::as_ptr(&cell) as *mut c_void;
        options.log_user = user;
        options.thread_user = user;
        let mut handle = null_mut();
        // SAFETY: the cell that the callbacks get lives as long as whatever may call them.
        check(unsafe { ffi::furrow_library_create(&options, &mut handle) })?;
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Library(Arc::new(Inner {
            handle,
            cell,
            process: std::process::id(),
        })))
    }
}

impl fmt::Debug for LibraryBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LibraryBuilder")
    }
}

/// Version of the library that is loaded, such as "0.1.0".
#[must_use]
pub fn version() -> String {
    // SAFETY: a constant text.
    unsafe { text_from_c(ffi::furrow_version()) }
}

fn check_version() -> Result<(), Error> {
    // SAFETY: no arguments.
    let actual = unsafe { ffi::furrow_abi_version() };
    if actual >= ffi::FURROW_ABI_VERSION {
        return Ok(());
    }
    let message = format!(
        "furrow: version of the interface of libfurrow: expected {} or more, actual {actual}",
        ffi::FURROW_ABI_VERSION
    );
    Err(Error::new(Status::Mismatch, ErrorKind::Other, message))
}

/// For a library that says that it made something and made nothing.
pub(crate) fn no_handle() -> Error {
    Error::new(
        Status::InternalError,
        ErrorKind::Internal,
        String::from("furrow: no handle"),
    )
}

unsafe extern "C" fn on_log(user: *mut c_void, level: ffi::furrow_log_level, line: *const c_char) {
    let level = match level {
        ffi::FURROW_LOG_NOTE => Level::Note,
        _ => Level::Warning,
    };
    // SAFETY: a cell that lives as long as whatever calls this, and a text that ends with a zero.
    let (cell, line) = unsafe { (&*user.cast::<CallbackCell>(), text_from_c(line)) };
    cell.with(|callbacks| callbacks.tell(level, &line));
}

unsafe extern "C" fn on_thread_start(user: *mut c_void, name: *const c_char) {
    // SAFETY: as in on_log.
    let (cell, name) = unsafe { (&*user.cast::<CallbackCell>(), text_from_c(name)) };
    cell.with(|callbacks| callbacks.run_hook(&callbacks.thread_start, "start", &name));
}

unsafe extern "C" fn on_thread_end(user: *mut c_void, name: *const c_char) {
    // SAFETY: as in on_log.
    let (cell, name) = unsafe { (&*user.cast::<CallbackCell>(), text_from_c(name)) };
    cell.with(|callbacks| callbacks.run_hook(&callbacks.thread_end, "end", &name));
}
