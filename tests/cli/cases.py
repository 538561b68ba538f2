# SPDX-License-Identifier: Apache-2.0
"""What the tests of the program share: running it, reading its lines, a pack without networks."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import make_inputs


def main(usage):
    """Runs the tests of the calling file on the program that the command line names."""
    if len(sys.argv) < 2:
        sys.exit(usage)
    command.program = sys.argv.pop(1)
    unittest.main(verbosity=1)


def command(*args):
    return [command.program, *[os.fsencode(a) for a in args]]


def item(*args, stdin=b"", **env):
    return subprocess.run(command(*args), input=stdin, capture_output=True, timeout=60,
                          env={**os.environ, **env})


def lines(done):
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def as_nobody(case, *args):
    """Root reads everything: let nobody try. Skips where nobody may not run the program."""
    root = os.geteuid() == 0
    case.work.chmod(0o755)
    try:
        done = subprocess.run(command(*args), capture_output=True, timeout=60,
                              user=65534 if root else None)
    except PermissionError:
        case.skipTest("nobody may not run the program where it lies")
    if root and done.returncode == 127:  # the loader's: below a folder that root alone enters
        case.skipTest("nobody may not read the library where it lies")
    return done


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = Path(cls.folder.name)
        cls.pack = make_inputs.tiny_pack(cls.work / "pack")
        os.environ["ITEM_ENGINE_PATH"] = str(cls.work / "no-such-engine.so")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def fails(self, done, code, *words):
        """One clear line on stderr, which is returned, and the exit code."""
        said = done.stderr.decode()
        self.assertEqual(done.returncode, code, said)
        self.assertEqual(said.count("\n"), 1, said)
        for word in words:
            self.assertIn(word, said)
        return said
