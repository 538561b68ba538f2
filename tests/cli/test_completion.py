#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in bash and zsh offers each command and each option that item tells, and nothing else.

    test_completion.py ITEM FOLDER-OF-COMPLETIONS

Both shells run the completion as they do for a user who presses Tab. A shell, or bash-completion,
that is not installed is left out; with neither the test is skipped (77).
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
BASH = """
source {library}; source {completions}/item.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}
_item "$1" "${{@: -1}}" "${{@: -2:1}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# A screen that shows all matches at once, without descriptions.
ZSH = """
fpath=({completions} $fpath); PATH={path}:$PATH; PROMPT='READY> '
autoload -U compinit; compinit -u -D; LISTMAX=10000; setopt nobeep nopromptsp
unset zle_bracketed_paste
zstyle ':completion:*' verbose no
bindkey -e; stty rows 500 cols 40
"""


def told(item, *arguments):
    return subprocess.run([item, *arguments], check=True, capture_output=True, text=True).stdout


def commands(item):
    return set(re.findall(r"^  ([a-z]+)  ", told(item, "help"), re.M))


def options(item, command):
    return set(re.findall(r"^  (-\S+)", told(item, command, "--help"), re.M))


def values(item, command, option):
    """What the help says of an option, to look for its values in."""
    return re.search(rf"^  {option} .*", told(item, command, "--help"), re.M)[0]


class Bash:
    def __init__(self, item, completions):
        self.item = item
        self.script = BASH.format(library=BASH_COMPLETION, completions=completions)

    def offers(self, *words):
        """What Tab offers after `item WORDS`, of which the last one is being written."""
        done = subprocess.run(["bash", "--norc", "-c", self.script, "bash", self.item, *words],
                              capture_output=True, text=True, check=True)
        assert not done.stderr, done.stderr
        return set(done.stdout.split())

    def close(self):
        pass


class Zsh:
    """An interactive shell on a terminal of its own."""

    def __init__(self, item, completions):
        self.shown = ""
        self.home = tempfile.TemporaryDirectory(prefix="item-zsh-")
        child, self.terminal = pty.fork()
        if child == 0:
            os.chdir(self.home.name)
            os.execvpe("zsh", ["zsh", "-f", "-i"],
                       {**os.environ, "HOME": self.home.name, "TERM": "dumb"})
        setup = Path(self.home.name) / "setup"
        setup.write_text(ZSH.format(completions=completions, path=Path(item).parent))
        self.send(f". {setup}; echo DO'N'E\n")
        self.read_until("DONE\r\n")
        self.read_until("READY> ")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, mark):
        """All that the terminal shows up to a mark; what follows is for the next call."""
        end = time.monotonic() + 60
        while mark not in self.shown:
            assert time.monotonic() < end, self.shown
            if select.select([self.terminal], [], [], 1)[0]:
                self.shown += os.read(self.terminal, 65536).decode(errors="replace")
        text, self.shown = self.shown.split(mark, 1)
        return text

    def offers(self, *words):
        # ^D lists the matches and inserts nothing; ^U clears the line; then a mark is printed
        self.send("item " + " ".join(words) + "\x04\x15echo DO'N'E\n")
        text = self.read_until("DONE\r\n")
        self.read_until("READY> ")
        listed = text.split("\n", 1)[1].split("READY> ")[0]
        return set(re.findall(r"\S+", listed))

    def close(self):
        self.send("exit\n")
        os.close(self.terminal)


def expect(what, offered, wanted):
    assert offered == wanted, f"{what}: missing {wanted - offered}, too many {offered - wanted}"


def check(shell, item):
    known = commands(item)
    assert len(known) > 8 and "check" in known
    offered = shell.offers("")
    assert known <= offered, known - offered
    expect("help tr", shell.offers("help", "tr"), {"train"})
    count = 0
    for command in sorted(known):
        wanted = options(item, command)
        expect(command, shell.offers(command, "-"), wanted)
        count += len(wanted)
        for option, offered in (("--precision", "fp32 bf16 auto"), ("--device", "cpu cuda"),
                                ("--threshold-rule", "pooled worst-source"),
                                ("--known-sources", "keep drop"),
                                ("--verdict", "real unsure ai none"),
                                ("--origin", "ai ai_part capture other"),
                                ("--sort", "path probability date")):
            if option in wanted:
                words = set(offered.split())
                expect(option, shell.offers(command, option, ""), words)
                assert all(w in values(item, command, option) for w in words), option
    expect("threshold", shell.offers("check", "--threshold", ""), {"fpr1", "fpr5"})
    expect("pack", shell.offers("pack", ""), {"show", "verify", "create"})
    return count


def main():
    item, completions = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve()
    shells = [Bash] * BASH_COMPLETION.exists() + [Zsh] * bool(shutil.which("zsh"))
    for make in shells:
        shell = make(item, completions)
        print(f"{make.__name__}: {check(shell, item)} options")
        shell.close()
    return 0 if shells else 77


if __name__ == "__main__":
    sys.exit(main())
