# SPDX-License-Identifier: Apache-2.0
"""gThumb as a test uses it: started in folders of its own, told by D-Bus, seen by AT-SPI."""
import os
import subprocess
import sys
import time

import gi
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

# seconds; a busy machine is no reason to fail
PATIENCE = 900 if "valgrind" in sys.argv else 90


def wait_for(what, condition):
    """The first true value of condition()."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} s in vain for {what}")


class Image:
    """Pixels of the screen, 3 bytes each."""

    def __init__(self):
        data = subprocess.run(["import", "-window", "root", "-depth", "8", "ppm:-"],
                              check=True, capture_output=True).stdout
        kind, size, _, self.pixels = data.split(b"\n", 3)
        assert kind == b"P6"
        self.width, self.height = map(int, size.split())

    def bounds(self, colour, area):
        """Smallest rectangle around the pixels of a colour in an area: x0, y0, x1, y1; or None."""
        found = []
        x0, y0, x1, y1 = area
        for y in range(max(y0, 0), min(y1, self.height)):
            row = self.pixels[3 * (y * self.width + x0):3 * (y * self.width + x1)]
            at = row.find(colour)
            while at >= 0:
                if at % 3 == 0:
                    found.append((x0 + at // 3, y))
                at = row.find(colour, at + 1)
        if not found:
            return None
        xs, ys = zip(*found)
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1


class GThumb:
    def __init__(self, work, extensions, name, argument, env, valgrind):
        """With all extensions of a folder but the map, as the distribution has it, in settings."""
        self.log = work / f"{name}.log"
        self.memcheck = work / f"{name}.valgrind"
        command = ["valgrind", f"--log-file={self.memcheck}"] if valgrind else []
        home = work / "home"
        settings = home / "config" / "glib-2.0" / "settings"
        settings.mkdir(parents=True, exist_ok=True)
        active = [file.stem for file in extensions.glob("*.extension") if file.stem != "map_view"]
        (settings / "keyfile").write_text(
            f"[org/gnome/gthumb/general]\nactive-extensions={active}\n"
            "[org/gnome/gthumb/browser]\nwindow-width=1080\nwindow-height=740\n")
        (home / "Pictures").mkdir(exist_ok=True)
        (home / "config" / "user-dirs.dirs").write_text('XDG_PICTURES_DIR="$HOME/Pictures"\n')
        env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
               "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache"),
               "GSETTINGS_BACKEND": "keyfile", "G_DEBUG": "fatal-criticals",
               "G_MESSAGES_DEBUG": "ai-check", "LC_ALL": "C.UTF-8", **env}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*command, "gthumb", str(argument)], env=env, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        try:
            wait_for("the window", lambda: "ai-check" in self.actions())
            self.window = wait_for("the window's accessible", self.find_window)
        except BaseException:
            self.process.kill()
            raise

    def faults(self):
        """What valgrind reports of the extension's own functions; what others do is theirs."""
        reports = self.memcheck.read_text().split("\n==") if self.memcheck.exists() else []
        return [line for line in reports if "libai_check.so" in line]

    # by D-Bus: actions of the window

    def call(self, method, parameters):
        return self.bus.call_sync("org.gnome.gThumb", "/org/gnome/gThumb/window/1",
                                  "org.gtk.Actions", method, parameters, None,
                                  Gio.DBusCallFlags.NONE, PATIENCE * 1000, None)

    def actions(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.call("List", None).unpack()[0]
        except GLib.Error:  # not there yet
            return []

    def enabled(self, action):
        return self.call("Describe", GLib.Variant("(s)", (action,))).unpack()[0][0]

    def activate(self, action):
        wait_for(action, lambda: self.enabled(action))
        self.call("Activate", GLib.Variant("(sava{sv})", (action, [], {})))

    def set_state(self, action, value):
        self.call("SetState", GLib.Variant("(sva{sv})", (action, GLib.Variant("b", value), {})))

    # by AT-SPI: what is on the screen

    def find_window(self):
        Atspi.set_timeout(PATIENCE * 1000, PATIENCE * 1000)
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            application = desktop.get_child_at_index(i)
            if application and application.get_process_id() == self.process.pid:
                return application
        return None

    def all(self, start=None):
        """Everything that is shown, as accessibles."""
        todo = [start or self.window]
        while todo:
            item = todo.pop()
            try:
                if item is not self.window and item.get_role() != Atspi.Role.APPLICATION and \
                        not item.get_state_set().contains(Atspi.StateType.VISIBLE):
                    continue
                todo += [c for c in map(item.get_child_at_index, range(item.get_child_count()))
                         if c]
                yield item
            except GLib.Error:  # it went away meanwhile
                pass

    def texts(self):
        found = []
        for item in self.all():
            if item.get_role() == Atspi.Role.LABEL:
                found.append(Atspi.Text.get_text(item, 0, -1))
        return found

    def text(self, part):
        """A text on the screen that contains part, or None."""
        return next((t for t in self.texts() if t and part in t), None)

    # what the extension logs

    def lines(self, part):
        return [line for line in self.log.read_text(errors="replace").splitlines() if part in line]

    def wait_run(self, number):
        """The line that ends the run of that number, from 1."""
        return wait_for(f"run {number}",
                        lambda: (self.lines("run ends") + [None] * number)[number - 1])
