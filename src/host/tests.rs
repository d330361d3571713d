//! What a host gives, and what it does not.

use super::*;
use std::os::unix::fs::symlink;

fn files(list: &str) -> HostRules {
    HostRules::new(false, None, Some(list), None, None)
}

fn hosts(list: &str) -> HostRules {
    HostRules::new(false, None, None, Some(list), None)
}

#[test]
fn nothing_is_given_unless_written_or_open() {
    let closed = HostRules::new(false, None, None, None, None);
    assert!(closed.env("PATH").is_err());
    assert!(closed.file(Path::new("/etc/passwd")).is_err());
    assert!(closed.host("api.example:443").is_err());
    let open = HostRules::new(true, None, None, None, None);
    assert!(open.env("PATH").is_ok());
    assert!(open.file(Path::new("/etc/passwd")).is_ok());
    assert!(open.host("api.example:443").is_ok());
    let narrowed = HostRules::new(true, Some(""), None, None, None);
    assert!(narrowed.env("PATH").is_err());
}

#[test]
fn what_the_loader_connects_with_is_never_given() {
    for rules in [HostRules::open(), HostRules::new(false, Some("*"), None, None, None)] {
        for name in ["DATABASE_URL", "PGPASSWORD"] {
            let refusal = rules.env(name).unwrap_err().to_string();
            assert!(refusal.contains("never given"), "{refusal}");
        }
    }
}

#[test]
fn a_refusal_says_what_the_owner_would_have_to_set() {
    let rules = HostRules::new(false, Some("A"), None, None, None);
    let refusal = rules.env("SHOP_TOKEN").unwrap_err().to_string();
    assert!(refusal.contains("\"SHOP_TOKEN\""), "{refusal}");
    assert!(refusal.contains("SLUICE_ALLOW_ENV is \"A\""), "{refusal}");
    assert!(refusal.contains("SLUICE_ALLOW_ENV=A,SHOP_TOKEN"), "{refusal}");
}

#[test]
fn names_fit_entries_with_stars() {
    assert!(fits("STRIPE_*", "STRIPE_KEY") && !fits("STRIPE_*", "XSTRIPE_KEY"));
    assert!(fits("*.shop.example", "api.shop.example"));
    assert!(!fits("*.shop.example", "shop.example.evil"));
    assert!(!fits("shop.example", "shop.example.evil"));
    assert!(fits("*", "") && fits("a*b*c", "axxbyc") && !fits("a*b", "axxc"));
}

#[test]
fn hosts_are_given_with_or_without_port_and_buckets_by_url() {
    let rules = hosts("API.example, *.cdn.example:8443, s3://drops, [::1]");
    for given in ["api.example:443", "a.cdn.example:8443", "s3://drops", "[::1]:80"] {
        assert!(rules.host(given).is_ok(), "{given}");
    }
    for refused in [
        "169.254.169.254:80",
        "a.cdn.example:443",
        "api.example.evil:443",
        "s3://drops2",
        "localhost:5432",
    ] {
        assert!(rules.host(refused).is_err(), "{refused}");
    }
}

#[test]
fn programs_are_given_by_path_or_folder_and_named_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("tap-x"), "#!/bin/sh\n").unwrap();
    std::fs::write(path("notes.txt"), "").unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path("tap-x"), mode).unwrap();
    let rules = |list: &str| HostRules::new(false, None, None, None, Some(list));
    for list in [folder.path(), &path("tap-x")] {
        let given = rules(list.to_str().unwrap()).program("tap-x").unwrap();
        assert_eq!(given, path("tap-x"));
    }
    for refused in ["sh", "tap-y"] {
        let refusal = rules(folder.path().to_str().unwrap()).program(refused);
        let refusal = format!("{:?}", refusal.unwrap_err());
        assert!(refusal.contains("SLUICE_ALLOW_PROGRAMS="), "{refusal}");
        assert!(refusal.contains("it gives tap-x") && !refusal.contains("notes"), "{refusal}");
    }
    for list in [folder.path(), &path("notes.txt")] {
        let refusal = rules(list.to_str().unwrap()).program("notes.txt").unwrap_err();
        assert!(refusal.next_step().is_some_and(|next| next.starts_with("chmod +x ")), "{refusal}");
    }
    for path in ["/bin/sh", "../bin/sh", "..", ""] {
        let refusal = HostRules::open().program(path).unwrap_err().to_string();
        assert!(refusal.contains("cannot be a path"), "{refusal}");
    }
    assert!(rules("").program("sh").is_err() && rules("*").program("sh").is_ok());
    assert!(HostRules::open().program("sh").is_ok());
    let own = HostRules::with_programs(folder.path().to_str());
    assert_eq!(own.program("tap-x").unwrap(), path("tap-x"));
    assert!(own.program("sh").is_ok());
}

#[test]
fn links_and_dots_do_not_lead_out_of_a_folder() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "").unwrap();
    let given = tempfile::tempdir().unwrap();
    let inside = |name: &str| given.path().join(name);
    std::fs::write(inside("a.csv"), "").unwrap();
    symlink(outside.path().join("secret"), inside("link.csv")).unwrap();
    symlink(outside.path(), inside("folder")).unwrap();
    symlink(inside("a.csv"), inside("fine.csv")).unwrap();
    let rules = files(given.path().to_str().unwrap());
    for allowed in ["", "a.csv", "fine.csv", "not_yet.csv"] {
        assert!(rules.file(&inside(allowed)).is_ok(), "{allowed}");
    }
    for refused in [
        "link.csv",
        "folder",
        "folder/secret",
        "folder/not_yet",
        "../secret",
        "not_yet/../../secret",
    ] {
        assert!(rules.file(&inside(refused)).is_err(), "{refused}");
    }
    let sibling = PathBuf::from(format!("{}2/a.csv", given.path().display()));
    assert!(rules.file(&sibling).is_err());
    let refusal = rules.file(&inside("link.csv")).unwrap_err().to_string();
    assert!(refusal.contains("a link to") && refusal.contains("SLUICE_ALLOW_FILES="), "{refusal}");
}
