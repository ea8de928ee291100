//! The program's own code, mapped before the first query needs it.
#![allow(unsafe_code)]

/// Maps the code and constants of the program into its pages, on a thread of its own: otherwise the first queries map
/// them piece by piece as they come to each function. Reads the file where it is not in memory; does nothing where
/// the system cannot.
pub fn map_code() {
    #[cfg(target_os = "linux")]
    {
        let body = || {
            let _ = rustix::process::nice(10);
            let Ok(program) = std::fs::read_link("/proc/self/exe") else { return };
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
            for (start, length) in maps.lines().filter_map(|line| constant_range(line, program.to_str()?)) {
                // SAFETY: this advice changes no byte and no right of a page; a range that is not mapped is refused.
                unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_POPULATE_READ) };
            }
        };
        // Without it the first queries are a little slower.
        let _ = std::thread::Builder::new().name(String::from("conshelf-code")).spawn(body);
    }
}

/// Address and length of what a line of `/proc/self/maps` is about, if that is a part of the program that is never
/// written.
#[cfg(target_os = "linux")]
fn constant_range(line: &str, program: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let rights = fields.next()?;
    let is_constant = rights.starts_with("r-") && line.ends_with(program);
    let address = |text: &str| usize::from_str_radix(text, 16).ok();
    let start = address(start)?;
    is_constant.then_some((start, address(end)?.checked_sub(start)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn ranges_of_the_program() {
        let range = |line: &str| super::constant_range(line, "/usr/bin/conshelf");
        let code = "55e9dd400000-55e9de000000 r-xp 006eb000 fe:00 1234    /usr/bin/conshelf";
        assert_eq!(range(code), Some((0x55e9_dd40_0000, 0xc0_0000)));
        assert_eq!(range(&code.replace("r-xp", "rw-p")), None);
        assert_eq!(range(&code.replace("/usr/bin/conshelf", "/usr/lib/libc.so.6")), None);
        assert_eq!(range("7ffd-7ffe r-xp 00000000 00:00 0    [vdso]"), None);
        assert_eq!(range(""), None);
        super::map_code();
    }
}
