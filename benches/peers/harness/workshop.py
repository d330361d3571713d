"""Where peers are installed: a private folder, nothing outside of it."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

VERSIONS = tomllib.loads((Path(__file__).parent.parent / "versions.toml").read_text())


class Workshop:
    """The folder."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def venv(self, peer):
        """A virtual environment with the packages of a peer; the path of its Python."""
        packages = VERSIONS[peer]["packages"]
        home = self.folder / peer
        python = home / "bin" / "python"
        if not _is_installed(home, packages):
            _say(f"installing {', '.join(packages)}")
            shutil.rmtree(home, ignore_errors=True)
            _run(sys.executable, "-m", "venv", home)
            _run(python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *packages)
            _mark(home, packages)
        return python

    def packages(self, peer):
        """Their names and versions."""
        return " ".join(package.replace("==", " ") for package in VERSIONS[peer]["packages"])

    def crate(self, peer):
        """A program built from its crate; the path of it."""
        pinned = VERSIONS[peer]
        release = f"{pinned['crate']}@{pinned['version']}"
        features = ",".join(pinned["features"])
        home = self.folder / peer
        if not _is_installed(home, [release, features]):
            _say(f"building {release}, which takes long")
            shutil.rmtree(home, ignore_errors=True)
            build = self.folder / f"{peer}-build"
            # The Rust version that a crate declares is often newer than what it needs.
            how = ["--quiet", "--locked", "--ignore-rust-version", "--root", home, "--target-dir", build]
            what = ["--no-default-features", "--features", features, release]
            _run("cargo", "install", *how, *what)
            shutil.rmtree(build)
            _mark(home, [release, features])
        return home / "bin" / pinned["binary"]


def _is_installed(home, what):
    mark = home / "installed.json"
    return mark.exists() and json.loads(mark.read_text()) == what


def _mark(home, what):
    """Written last, so that a broken installation is made anew."""
    (home / "installed.json").write_text(json.dumps(what))


def _run(*words):
    subprocess.run([str(word) for word in words], check=True)


def _say(text):
    print(text, file=sys.stderr, flush=True)
