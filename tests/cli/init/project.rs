//! `--project`: a folder to begin with.

use super::Desk;
use std::path::Path;
use std::process::Command;

/// A command of the project's folder, as a user without a database runs it.
fn sh(folder: &Path, script: &str) -> (bool, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_sluice"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-ec", &format!("exec 2>&1; {script}")])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("DATABASE_URL")
        .env_remove("SLUICE_HOME")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_new_project_runs_by_its_readme_and_passes_its_own_check() {
    let desk = Desk::new().await;
    desk.write("drop/orders.csv", "id,amount\n1,2.50\n2,3.50\n");
    let project = desk.path().join("shop");
    let args = ["drop", "--name", "orders", "--project", "shop"];
    let made = desk.init(&args);
    for file in ["pipelines/orders.sql", "README.md", "docker-compose.yml", "ci.sh", ".gitignore"] {
        assert!(project.join(file).is_file() && made.contains(file), "{file}\n{made}");
    }
    let readme = std::fs::read_to_string(project.join("README.md")).unwrap();
    let (_, first) = readme.split_once("```sh\n").unwrap();
    let (commands, _) = first.split_once("```").unwrap();
    let (ok, said) = sh(&project, &format!("trap 'sluice db stop' EXIT; {commands}"));
    assert!(ok && said.contains("orders ok extracted=2"), "{said}");
    let (ok, said) = sh(&project, "sh ci.sh");
    assert!(ok && said.contains("stopped"), "{said}");

    let again = desk.refusal(&args);
    assert!(again.contains("README.md is there already"), "{again}");
}
