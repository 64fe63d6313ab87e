//! How much memory there is for this process: the machine's, or what its control groups may have of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The memory in KiB; `None` where the system does not say.
pub(super) fn memory_kib() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let limits = limits(&groups, Path::new("/sys/fs/cgroup"));
    limits.into_iter().map(|bytes| bytes / 1024).chain(total(&machine)).min()
}

/// The limits in bytes of the groups that `/proc/self/cgroup` lists, and of those that they are in. In a container its
/// own group is the outermost that can be seen, whatever its path is called outside.
fn limits(groups: &str, mounted: &Path) -> Vec<u64> {
    let files = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (root, file) = match controllers {
            "" => (mounted.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                (mounted.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let own = root.join(path.trim_start_matches('/'));
        let within = own.ancestors().take_while(|folder| folder.starts_with(&root)).map(|folder| folder.join(file));
        Some(within.collect::<Vec<PathBuf>>())
    });
    // `max` is no limit.
    files.flatten().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).collect()
}

/// The machine's own, in KiB.
fn total(meminfo: &str) -> Option<u64> {
    meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_all_groups_around_are_found() {
        let mounted = std::env::temp_dir().join(format!("freehold-groups-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let file = mounted.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("memory.max", "max\n");
        write("system.slice/memory.max", "1073741824\n");
        write("system.slice/freehold.service/memory.max", "536870912\n");
        write("memory/memory.limit_in_bytes", "268435456\n");
        let found = |groups: &str| limits(groups, &mounted);
        assert_eq!(found("0::/system.slice/freehold.service\n"), [512 << 20, 1 << 30]);
        // As in a container: the path is one of outside.
        assert_eq!(found("9:name=systemd:/\n4:cpu,memory:/docker/1f3a\n0::/\n"), [256 << 20]);
        assert_eq!(found("3:memory_recursiveprot:/\nnonsense\n"), [0; 0]);
        fs::remove_dir_all(mounted).unwrap();
    }

    #[test]
    fn the_machines_memory_is_read_as_the_system_writes_it() {
        assert_eq!(total("MemTotal:       24689300 kB\nMemFree:         101 kB\n"), Some(24_689_300));
        assert_eq!(total("MemFree: 101 kB\n"), None);
        let machine = total(&fs::read_to_string("/proc/meminfo").unwrap()).unwrap();
        let ours = memory_kib().unwrap();
        assert!(ours > 0 && ours <= machine, "{ours} of {machine} KiB");
    }
}
