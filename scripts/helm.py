"""Helm for this repository: `python -m scripts.helm ARGS…` takes helm's own arguments.

Runs `helm` where there is one on PATH. Else helm's engine out of the package helm-python-sdk carries out the commands
that the project uses, or a helm built with Go does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
GO_MODULE = "helm.sh/helm/v4/cmd/helm@v4.3.1"
_BUILT = ROOT / ".cache" / "bin" / "helm"
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def main(arguments: list[str]) -> int:
    """Run one helm command; returns its exit status."""
    program = shutil.which("helm") or (str(_BUILT) if _BUILT.is_file() else None)
    if program is None and not _has_engine():
        program = _build()
    if program is not None:
        return subprocess.run([program, *arguments], check=False).returncode
    return _run_engine(_parser().parse_args(arguments))


def _has_engine() -> bool:
    try:
        import helm_python

        helm_python.helm_sdk_version()
    except (ImportError, OSError):
        return False
    return True


def _build() -> str | None:
    """Build helm from its Go module."""
    if not shutil.which("go"):
        sys.exit("helm: there is no helm on PATH, no helm-python-sdk for this machine and no go to build one with")
    print(f"helm: building {GO_MODULE}", file=sys.stderr)  # noqa: T201
    subprocess.run(["go", "install", GO_MODULE], check=True, env=os.environ | {"GOBIN": str(_BUILT.parent)})
    return str(_BUILT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="helm", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("lint", "template", "install", "upgrade", "uninstall"):
        command = commands.add_parser(name, allow_abbrev=False)
        if name != "lint":
            command.add_argument("release")
        if name != "uninstall":
            command.add_argument("chart")
            command.add_argument("-f", "--values", action="append", default=[])
            command.add_argument("--set", action="append", default=[])
            command.add_argument("--set-string", action="append", default=[])
        command.add_argument("-n", "--namespace", default="default")
        command.add_argument("--timeout", type=_seconds, default=300)
        command.add_argument("--wait", action="store_true")
        command.add_argument("--strict", action="store_true")
        command.add_argument("--install", action="store_true")
        command.add_argument("--include-crds", action="store_true")
        command.add_argument("--create-namespace", action="store_true")
    return parser


def _seconds(text: str) -> int:
    parts = re.findall(r"(\d+)([smh])", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s or 5m")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def _run_engine(options: argparse.Namespace) -> int:
    import helm_python as helm

    try:
        if options.command == "uninstall":
            with helm.Config(namespace=options.namespace) as config:
                wait = "watcher" if options.wait else None
                config.uninstall(options.release, timeout=options.timeout, wait=wait)
            print(f'release "{options.release}" uninstalled')  # noqa: T201
            return 0
        values = _values(options, helm)
        if options.command == "lint":
            return _lint(helm.lint(options.chart, values, strict=options.strict, namespace=options.namespace), options)
        with helm.Chart.load(options.chart) as chart:
            if options.command == "template":
                _print_template(chart, values, options)
            else:
                _install(helm, chart, values, options)
    except helm.HelmError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _values(options: argparse.Namespace, helm: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in options.values:
        merged = _merge(merged, yaml.safe_load(Path(name).read_text()) or {})
    if options.set:  # together, as helm does: `a[0].b=1` and `a[0].c=2` are of one item
        merged = _merge(merged, helm.parse_set_string(",".join(options.set)))
    for expression in options.set_string:
        merged = _merge(merged, helm.parse_set_string_values(expression))
    return merged


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    out = dict(old)
    for key, value in new.items():
        out[key] = _merge(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def _lint(report: dict[str, Any], options: argparse.Namespace) -> int:
    names = {0: "UNKNOWN", 1: "INFO", 2: "WARNING", 3: "ERROR"}
    for message in report["messages"]:
        print(f"[{names[message['severity']]}] {message['path']}: {message['error']}")  # noqa: T201
    worst = max((message["severity"] for message in report["messages"]), default=0)
    return int(bool(report["errors"]) or worst >= (2 if options.strict else 3))


def _print_template(chart: Any, values: dict[str, Any], options: argparse.Namespace) -> None:
    if options.include_crds:
        for crd in chart.crds:
            print(f"---\n# Source: {crd['filename']}\n{crd['data']}")  # noqa: T201
    rendered = chart.render(values, name=options.release, namespace=options.namespace)
    for path, text in sorted(rendered.items()):
        if text.strip() and not path.endswith("NOTES.txt"):
            print(f"---\n# Source: {path}\n{text.strip()}")  # noqa: T201


def _install(helm: Any, chart: Any, values: dict[str, Any], options: argparse.Namespace) -> None:
    wait = "watcher" if options.wait else None
    with helm.Config(namespace=options.namespace) as config:
        there = options.command == "upgrade"
        if there and options.install:
            try:
                config.status(options.release)
            except helm.HelmNotFoundError:
                there = False
        if there:
            release = config.upgrade(chart, options.release, values, timeout=options.timeout, wait=wait)
        else:
            release = config.install(
                chart, options.release, values, timeout=options.timeout, wait=wait, namespace=options.namespace,
                create_namespace=options.create_namespace,
            )  # fmt: skip
    print(release.get("notes") or json.dumps({key: release.get(key) for key in ("name", "namespace", "status")}))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
