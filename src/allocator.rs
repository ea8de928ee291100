//! How the process's allocator is set up; nothing else may depend on which one it is.
#![allow(unsafe_code)]

use std::ffi::c_long;

/// Number of mimalloc's option `purge_delay` (`mi_option_e` of its header); the crate does not name it.
const PURGE_DELAY_OPTION: libmimalloc_sys::mi_option_t = 15;

/// Milliseconds that freed memory waits before it goes back to the system. Under ingestion a seal frees what the
/// next rows take a second or two later: giving it back in between costs a tenth of the processor time in page faults.
const PURGE_DELAY_MILLISECONDS: c_long = 4000;

/// Sets the allocator up. To be called first, before there are other threads.
pub fn configure() {
    // SAFETY: the function only stores a number; it is not thread safe, and `main` calls this before it starts
    // any thread. A number that is no option is ignored by it.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY_OPTION, PURGE_DELAY_MILLISECONDS) }
}
