//! The module that a file belongs to, guessed from its path.

/// The module's name: from what follows `site-packages` or the standard
/// library's folder, else the file's own name.
///
/// ```
/// use memsight_insight::module_of;
/// assert_eq!(module_of("/usr/lib/python3.11/json/decoder.py"), "json.decoder");
/// assert_eq!(module_of("/v/lib/python3.11/site-packages/yaml/__init__.py"), "yaml");
/// assert_eq!(module_of("/home/me/orders.py"), "orders");
/// ```
pub fn module_of(file: &str) -> String {
    if let Some(frozen) = file.strip_prefix("<frozen ").and_then(|rest| rest.strip_suffix('>')) {
        return frozen.into();
    }
    if file.is_empty() || file.starts_with('<') {
        return file.into();
    }
    match library_path(file) {
        Some(path) => dotted(path),
        None => own_name(file),
    }
}

/// What follows the folder that a library stands in, if the file is of one.
pub fn library_path(file: &str) -> Option<&str> {
    for folder in ["/site-packages/", "/dist-packages/"] {
        if let Some(at) = file.rfind(folder) {
            return Some(&file[at + folder.len()..]);
        }
    }
    let at = file.rfind("/lib/python")?;
    let rest = &file[at + "/lib/python".len()..];
    let (version, path) = rest.split_once('/')?;
    // The whole standard library may come as one `python311.zip`.
    let is_version = !version.is_empty()
        && version.trim_end_matches(".zip").chars().all(|c| c.is_ascii_digit() || c == '.' || c == 't');
    is_version.then_some(path)
}

fn dotted(path: &str) -> String {
    let path = without_suffix(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.replace('/', ".")
}

fn own_name(file: &str) -> String {
    let mut parts = file.rsplit('/');
    let stem = without_suffix(parts.next().unwrap_or(file));
    match (stem, parts.next()) {
        ("__init__" | "__main__", Some(folder)) if !folder.is_empty() => folder.into(),
        _ => stem.into(),
    }
}

fn without_suffix(path: &str) -> &str {
    path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyc")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_file_is_named_from_its_package() {
        for (file, module) in [
            ("/usr/lib/python3.9/os.py", "os"),
            ("/opt/lib/python3.13t/asyncio/events.py", "asyncio.events"),
            ("/usr/lib/python3/dist-packages/apt/cache.py", "apt.cache"),
            ("/v/lib/python3.11/site-packages/a/b/__init__.py", "a.b"),
        ] {
            assert_eq!(module_of(file), module);
        }
    }

    #[test]
    fn other_files_are_named_by_themselves() {
        for (file, module) in [
            ("orders.py", "orders"),
            ("/home/me/shop/__main__.py", "shop"),
            ("/srv/lib/pythonish/x.py", "x"),
            ("/__init__.py", "__init__"),
            ("<frozen importlib._bootstrap>", "importlib._bootstrap"),
            ("<string>", "<string>"),
            ("", ""),
        ] {
            assert_eq!(module_of(file), module);
        }
    }
}
