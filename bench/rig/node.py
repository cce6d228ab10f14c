"""What the peers from the npm registry need: node, and bench/peers/node as `tools/install bench` fills it."""

import json
import pathlib
import shutil
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "peers/node"


def missing(package):
    if not shutil.which("node"):
        return "node is not installed (tools/install bench)"
    if not (FOLDER / "node_modules" / package).exists():
        return f"the npm package {package} is not installed (tools/install bench)"
    return ""


def version():
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip().lstrip("v")


def version_of(package):
    try:
        return json.loads((FOLDER / "node_modules" / package / "package.json").read_text())["version"]
    except OSError:
        return ""
