#!/usr/bin/python3
"""Installs the library into a folder, and builds and runs a stranger's project against it.

  tests/install/install_test.py BUILD_FOLDER COMPILER [FLAG…]
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def run(*command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def main(build, compiler, *flags):
    with tempfile.TemporaryDirectory(prefix="onceward-install-") as scratch:
        prefix, folder = f"{scratch}/prefix", f"{scratch}/build"
        run("cmake", "--install", build, "--prefix", prefix, "--component", "library")
        run("cmake", "-S", HERE / "consumer", "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={' '.join(flags)}")
        run("cmake", "--build", folder)
        said = run(f"{folder}/consumer")
        assert said == "ran\nreplayed charged\n", said


if __name__ == "__main__":
    main(*sys.argv[1:])
