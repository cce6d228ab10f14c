#!/usr/bin/python3
"""The command line: help, version, exit codes, and what `run` and `check-config` say before and while a gateway runs.

  ONCEWARD_BINARY=build/dev/apps/onceward/onceward tests/cli/cli_test.py [-k WORD]
"""

import http.client
import json
import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import unittest

BINARY = str(pathlib.Path(os.environ["ONCEWARD_BINARY"]).resolve())
SECONDS_MAX = 60
# Nothing listens there, and nothing needs to: no request is sent to it.
UPSTREAM = "http://127.0.0.1:1"


class CommandLine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="onceward-cli-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def run_onceward(self, *arguments):
        return subprocess.run([BINARY, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS_MAX, check=False)

    def assert_ends(self, status, *arguments):
        finished = self.run_onceward(*arguments)
        self.assertEqual(finished.returncode, status, finished.stdout + finished.stderr)
        return finished

    def write(self, text, name="onceward.yaml"):
        (self.folder / name).write_text(text)
        return name


class Help(CommandLine):
    def test_it_names_every_command_with_examples_and_exit_codes(self):
        text = self.assert_ends(0, "--help").stdout
        for word in ("run ", "check-config ", "demo ", "verify ", "Examples:", "Exit codes:", "SIGTERM"):
            self.assertIn(word, text)

    def test_it_names_every_flag_of_run(self):
        text = self.assert_ends(0, "run", "--help").stdout
        for flag in ("--config FILE", "--listen HOST:PORT", "--upstream URL", "--data DIR", "--admin HOST:PORT"):
            self.assertIn(flag, text)

    def test_it_names_every_flag_and_every_end_of_verify(self):
        text = self.assert_ends(0, "verify", "--help").stdout
        for words in ("DIR", "--repair", "--json", "0 sound, or repaired; 1 damaged, or not repaired; 2 it could not"):
            self.assertIn(words, text)

    def test_the_version(self):
        self.assertEqual(self.assert_ends(0, "--version").stdout, f"onceward {os.environ['ONCEWARD_VERSION']}\n")

    def test_a_command_line_that_is_wrong_ends_with_2(self):
        for arguments in ((), ("rnu",), ("run", "--lisen", "x"), ("run", "--config"), ("check-config",),
                          ("check-config", "a", "b"), ("verify",), ("verify", "a", "b"),
                          ("verify", "--mend", "a")):
            with self.subTest(arguments):
                self.assertNotEqual(self.assert_ends(2, *arguments).stderr, "")


class CheckConfig(CommandLine):
    def test_a_good_file(self):
        file = self.write(f"upstream: {UPSTREAM}\nroutes: [ {{ match: {{ path: /a }} }} ]\n")
        finished = self.assert_ends(0, "check-config", file)
        self.assertEqual(finished.stdout, "onceward.yaml: good, 1 route and the defaults\n")
        self.assertEqual(finished.stderr, "")

    def test_warnings_are_told_and_are_no_errors(self):
        file = self.write(f"upstream: {UPSTREAM}\nstore: memory\ndefaults: {{ lease: 1s }}\n")
        finished = self.assert_ends(0, "check-config", file)
        self.assertIn("onceward.yaml:3:20: warning: a pause of this machine", finished.stderr)
        self.assertIn("onceward.yaml: warning: `store: memory`", finished.stderr)

    def test_every_error_is_told_with_its_place(self):
        finished = self.assert_ends(2, "check-config", self.write("lisen: 1\nworkers: x\n"))
        self.assertEqual(finished.stderr, "onceward.yaml:1:1: error: unknown key `lisen`; did you mean `listen`?\n"
                                          "onceward.yaml:2:10: error: `workers` must be a whole number, not `x`\n")
        self.assertEqual(finished.stdout, "")

    def test_a_file_that_cannot_be_read(self):
        for name in ("nothing.yaml", "."):
            with self.subTest(name):
                self.assertEqual(self.assert_ends(2, "check-config", name).stderr, f"{name}: error: cannot be read\n")

    def test_a_file_that_is_too_large(self):
        finished = self.assert_ends(2, "check-config", self.write("#" * (2 << 20)))
        self.assertEqual(finished.stderr, "onceward.yaml: error: is larger than 1048576 bytes\n")


class Gateway(CommandLine):
    ON_FREE_PORTS = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")

    def start(self, *arguments, upstream=("--upstream", UPSTREAM)):
        """A gateway on free ports, and its first line that is not a warning."""
        process = subprocess.Popen([BINARY, "run", *upstream, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.warnings = []
        for line in process.stderr:
            told = json.loads(line)
            if told["event"] == "started":
                return process, told
            self.warnings.append(told)
        self.fail(f"the gateway ended with {process.wait()}: {self.warnings}")

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        events = [json.loads(line)["event"] for line in process.stderr]
        self.assertEqual(process.wait(SECONDS_MAX), 0)
        return events


class Running(Gateway):
    def test_an_upstream_is_enough_and_the_first_line_tells_the_rest(self):
        process, started = self.start(*self.ON_FREE_PORTS)
        self.assertEqual(started["upstreams"], UPSTREAM)
        self.assertEqual(started["store"], "journal in ./data, synced")
        self.assertEqual(started["secret"], "./data/secret")
        self.assertEqual(started["version"], os.environ["ONCEWARD_VERSION"])
        host, port = started["admin"].rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS_MAX)
        connection.request("GET", "/readyz")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        self.assertEqual(self.stop(process), ["drains", "stopped"])

    def test_sigint_drains_and_sighup_is_ignored(self):
        process, _ = self.start(*self.ON_FREE_PORTS, "--data", "d")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.stop(process, signal.SIGINT), ["drains", "stopped"])

    def test_flags_beat_the_file(self):
        file = self.write("listen: 192.0.2.1:1\nadmin: 192.0.2.1:2\nupstream: http://192.0.2.1:3\nstore: memory\n")
        process, started = self.start("--config", file, "--listen", "127.0.0.1:0", "--admin", "off", "--data", "d")
        self.assertEqual(started["admin"], "off")
        self.assertEqual(started["upstreams"], UPSTREAM)
        self.assertEqual(started["store"], "journal in d, synced")
        self.stop(process)

    def test_a_journal_does_not_take_the_place_of_a_store_that_others_share(self):
        for store, url in (("postgres", "postgres://u@127.0.0.1:1/d"), ("redis", "redis://127.0.0.1:1/0")):
            with self.subTest(store):
                file = self.write(f"upstream: {UPSTREAM}\nstore: {{ {store}: {{ url: {url} }} }}\n")
                told = self.assert_ends(2, "run", "--config", file, "--data", "d").stderr
                self.assertIn("onceward: error: --data d would keep the records in a journal", told)
                self.assertIn(f"onceward.yaml keeps them in `store.{store}`", told)
                self.assertFalse((self.folder / "d").exists())

    def test_flags_have_the_same_language_as_the_file(self):
        finished = self.assert_ends(2, "run", "--listen", "8080", "--upstream", "localhost:9000", "--admin", "on")
        self.assertEqual(finished.stderr.count("onceward: error: --"), 3, finished.stderr)
        self.assertIn("did you mean `127.0.0.1:8080`?", finished.stderr)
        self.assertIn("did you mean `http://localhost:9000`?", finished.stderr)

    def test_without_an_upstream_it_does_not_start(self):
        self.assertIn("there is no upstream", self.assert_ends(2, "run").stderr)
        self.assertFalse((self.folder / "data").exists())

    def test_warnings_about_the_configuration_are_in_the_log(self):
        file = self.write(f"upstream: {UPSTREAM}\nstore: memory\n")
        process, started = self.start("--config", file, *self.ON_FREE_PORTS, upstream=())
        self.assertEqual([told["event"] for told in self.warnings], ["configuration"])
        self.assertEqual(started["secret"], "made for this process")
        self.stop(process)

    def test_a_second_process_says_who_holds_the_journal(self):
        process, _ = self.start(*self.ON_FREE_PORTS, "--data", "d")
        finished = self.assert_ends(1, "run", "--upstream", UPSTREAM, *self.ON_FREE_PORTS, "--data", "d")
        self.assertIn(f"held by process {process.pid}", finished.stderr)
        self.stop(process)

    def test_an_address_that_is_not_ours(self):
        finished = self.assert_ends(1, "run", "--upstream", UPSTREAM, "--listen", "192.0.2.1:8080", "--data", "d")
        self.assertIn("192.0.2.1:8080", finished.stderr)


class Secret(Gateway):
    def secret(self, name, digits, mode=0o600):
        (self.folder / name).write_text(digits)
        (self.folder / name).chmod(mode)
        return self.write(f"secret_file: {name}\n", name + ".yaml")

    def test_it_is_made_once_and_told_what_it_means(self):
        process, _ = self.start(*self.ON_FREE_PORTS)
        self.assertEqual([told["event"] for told in self.warnings], ["secret-made"])
        self.stop(process)
        file = self.folder / "data" / "secret"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        before = file.read_text()
        self.assertRegex(before, "^[0-9a-f]{64}\n$")
        process, _ = self.start(*self.ON_FREE_PORTS)
        self.assertEqual(self.warnings, [])
        self.stop(process)
        self.assertEqual(file.read_text(), before)

    def test_one_that_others_can_read_is_refused(self):
        config = self.secret("s", "a" * 64, 0o644)
        finished = self.assert_ends(1, "run", "--config", config, "--upstream", UPSTREAM, *self.ON_FREE_PORTS)
        self.assertIn("chmod 600 s", finished.stderr)

    def test_it_can_be_changed_as_long_as_nothing_depends_on_it(self):
        for digit in "ab":
            process, started = self.start("--config", self.secret(digit, digit * 64), *self.ON_FREE_PORTS)
            self.assertEqual(started["secret"], digit)
            self.stop(process)


if __name__ == "__main__":
    unittest.main()
