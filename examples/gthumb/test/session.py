#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a user does with the extension, one function each; run.py starts it on a screen of its own.

    session.py PREFIX SCREENSHOTS [valgrind]
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desktop import Atspi, GLib, GThumb, Image, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PICTURES = ROOT / "examples" / "pictures"
EXTENSIONS = subprocess.run(["pkg-config", "--variable=extensionsdir", "gthumb"], check=True,
                            capture_output=True, text=True).stdout.strip()
FIRST_COLOUR = bytes.fromhex("ffd500")
# APP1 segment with EXIF's tag 0x0112, orientation 6: to be turned by 90 degrees
TURNED = bytes.fromhex("ffe10022") + b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + \
    b"\0\x06\0\0\0\0\0\0"


class Session:
    def __init__(self, prefix, screenshots, work, valgrind):
        self.prefix, self.screenshots, self.work = prefix, screenshots, work
        self.valgrind = valgrind
        self.started = []

    def start(self, name, argument, **env):
        self.started.append(GThumb(self.work, Path(EXTENSIONS), name, argument, env, self.valgrind))
        return self.started[-1]

    def screenshot(self, name):
        subprocess.run(["import", "-window", "root", self.screenshots / f"{name}.png"], check=True)

    def answer(self, path):
        """What the program item says of a picture."""
        done = subprocess.run([self.prefix / "bin" / "item", "check", "--json", path], check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)


def place_extension(work):
    """Over gThumb's folder of extensions, in this mount namespace: one with ours."""
    merged = work / "extensions"
    shutil.copytree(EXTENSIONS, merged, symlinks=True)
    for file in (ROOT / "build" / "gthumb" / "root" / EXTENSIONS[1:]).iterdir():
        shutil.copy(file, merged)
    subprocess.run(["mount", "--bind", merged, EXTENSIONS], check=True)


def viewer_area(app):
    """Where the picture may be on the screen. Two widgets have no role: viewer and thumbnails."""
    boxes = [item.get_extents(Atspi.CoordType.SCREEN) for item in app.all()
             if item.get_role() == Atspi.Role.UNKNOWN]
    e = max(boxes, key=lambda e: e.width * e.height, default=None)
    return e and (e.x, e.y, e.x + e.width, e.y + e.height)


def expect_box(app, answer, zoom=None):
    """The first object's box is where item says: gThumb shows the picture centred, and whole where
    no zoom is given."""
    area = viewer_area(app)
    x0, y0, x1, y1 = answer["objects"][0]["box"]
    wide, high = answer["width"], answer["height"]
    found = wait_for("the box", lambda: Image().bounds(FIRST_COLOUR, area))
    zoom = zoom or (found[2] - found[0]) / (x1 - x0)
    centre_x, centre_y = (area[0] + area[2]) / 2, (area[1] + area[3]) / 2
    wanted = (max(centre_x + (x0 - wide / 2) * zoom, area[0]),
              max(centre_y + (y0 - high / 2) * zoom, area[1]),
              min(centre_x + (x1 - wide / 2) * zoom, area[2]),
              min(centre_y + (y1 - high / 2) * zoom, area[3]))
    assert all(abs(f - w) <= 4 for f, w in zip(found, wanted)), (found, wanted)


def expect_panel(app, answer):
    text = wait_for("the panel", lambda: app.text("Caption"))
    words = {"real": "Photograph", "ai": "AI-generated", "unsure": "Unsure"}
    wanted = [words[answer["verdict"]], f"{100 * answer['probability']:.0f} %",
              answer["reason"]["text"], answer["caption"]]
    wanted += [o["phrase"] for o in answer["objects"]]
    missing = [w for w in wanted if w not in text]
    assert not missing, (missing, text)


def press(accessible):
    assert Atspi.Action.do_action(accessible, 0)


def fold_histogram(app):
    """Makes room in the side panel: closes the section above."""
    section = next(item for item in app.all() if item.get_role() == Atspi.Role.LABEL and
                   Atspi.Text.get_text(item, 0, -1) == "Std dev:")
    while section.get_role() != Atspi.Role.TOGGLE_BUTTON:
        section = section.get_parent()
    press(section)


def waited(what, app, line):
    """Asks the main thread until the log has a line: it answers while a picture is checked."""
    times = []
    while not app.lines(line):
        start = time.monotonic()
        app.actions()
        times.append(time.monotonic() - start)
    assert len(times) > 3, "the window was blocked"
    times.sort()
    print(f"{what}: the main thread answered {len(times)} times, after {1000 * times[-1]:.0f} ms at "
          f"most, {1000 * times[len(times) // 2]:.1f} in the middle", flush=True)


def check_one(session):
    """A picture in the viewer: the window answers meanwhile; then panel and box are there."""
    path = session.work / "few" / "dog.jpg"
    answer = session.answer(path)
    app = session.start("one", path)
    wait_for("the viewer", lambda: viewer_area(app))
    app.activate("viewer-properties")
    wait_for("the panel", lambda: app.text("Not checked yet."))
    fold_histogram(app)
    area = viewer_area(app)
    assert Image().bounds(FIRST_COLOUR, area) is None
    app.activate("ai-check")
    waited("loading and checking", app, "checked dog.jpg")
    assert "1 of 1 done, 0 failed" in app.wait_run(1)
    expect_panel(app, answer)
    expect_box(app, answer)
    session.screenshot("viewer")
    app.activate("image-zoom-100")
    wait_for("the zoom", lambda: app.text("100%"))
    time.sleep(1)  # it scrolls to the middle when it has drawn
    expect_box(app, answer, 1)
    app.activate("image-zoom-fit")
    app.set_state("ai-boxes", False)
    wait_for("no boxes", lambda: Image().bounds(FIRST_COLOUR, area) is None)
    app.set_state("ai-boxes", True)
    app.activate("ai-check")  # known: no work
    assert "1 of 1 done, 0 failed" in app.wait_run(2)
    assert len(app.lines("checked dog.jpg")) == 1
    turned_picture(session, app)
    changed_picture(session, app)
    return app


def turned_picture(session, app):
    """A picture that EXIF turns: its box is that of the upright one."""
    answer = session.answer(session.work / "few" / "turned.jpg")
    assert answer["objects"], "choose another picture for this test"
    app.activate("show-next-image")
    wait_for("turned.jpg", lambda: app.text("Not checked yet."))
    app.activate("ai-check")
    waited("checking", app, "checked turned.jpg")
    assert "1 of 1 done, 0 failed" in app.wait_run(3)
    expect_panel(app, answer)
    expect_box(app, answer)
    session.screenshot("turned")


def changed_picture(session, app):
    """A file was written again: the answer is not that of the file as it is now."""
    path = session.work / "few" / "turned.jpg"

    def noticed():  # gThumb misses some changes: a patient user saves again
        path.write_bytes(path.read_bytes())
        time.sleep(1)
        return app.text("Not checked yet.")

    wait_for("the answer to go", noticed)


def check_bad(session, app):
    """All files of a folder, with broken ones: each is answered, and the window says what failed."""
    app.activate("browser-mode")
    app.activate("file-list-select-all")
    text = None
    for run in 4, 5, 6:  # gThumb hides a message when it notices late that the file was written
        app.activate("ai-check")
        ended = app.wait_run(run)
        count = re.search(r"(\d+) of (\d+) done, (\d+) failed", ended)
        assert count and count.groups() == ("4", "4", "2"), ended  # folder.jpg is none of them
        text = next(filter(None, (app.text("could not be checked") for _ in range(10))), None)
        if text:
            break
    assert text and app.text("AI check"), app.texts()
    assert "2 of " in text and ("broken.jpg" in text or "words.jpg" in text), text
    session.screenshot("failed")


def cancel_button(app):
    """The button of the progress dialog: the one with an icon, beside the name of the run."""
    for item in app.all():
        if item.get_role() == Atspi.Role.LABEL and \
                Atspi.Text.get_text(item, 0, -1) == "Checking pictures":
            row = item.get_parent().get_parent()
            for button in app.all(row):
                if button.get_role() == Atspi.Role.PUSH_BUTTON:
                    return button
    return None


def cancel_run(session):
    """Cancel ends a run between its pictures; then the window may be closed."""
    app = session.start("cancel", session.work / "many")
    wait_for("pictures", lambda: app.text("24 files"))
    app.activate("file-list-select-all")
    wait_for("selection", lambda: app.text("24 files selected"))
    app.activate("ai-check")
    button = wait_for("the cancel button", lambda: cancel_button(app))
    wait_for("a result", lambda: app.lines(": checked"))
    session.screenshot("progress")
    app.activate("close")  # gThumb refuses while a run goes on, and shows its progress
    assert not app.lines("run ends")
    press(button)
    ended = app.wait_run(1)
    done = int(re.search(r"(\d+) of 24 done", ended)[1])
    assert 0 < done < 24 and "cancel" in ended, ended
    return app


def changes_meanwhile(session):
    """While a run goes on one of its files is deleted, another is added, and others are selected."""
    folder = session.work / "moving"
    app = session.start("moving", folder)
    wait_for("pictures", lambda: app.text("3 files"))
    app.activate("file-list-select-all")
    wait_for("selection", lambda: app.text("3 files selected"))
    app.activate("ai-check")
    wait_for("the run", lambda: app.lines("run begins"))
    (folder / "c.jpg").unlink()
    shutil.copy(folder / "a.jpg", folder / "d.jpg")
    app.activate("file-list-select-all")
    assert "3 of 3 done, 1 failed" in app.wait_run(1)
    assert app.lines("checked a.jpg") and app.lines("checked b.jpg")
    text = wait_for("a message", lambda: app.text("could not be checked"))
    assert "1 of 3" in text and "c.jpg" in text and "No such file" in text, text
    return app


def close_window(app):
    """gThumb leaves without a word on its last window's close."""
    wait_for("the run's end", lambda: app.lines("run ends"))
    app.activate("close")
    assert app.process.wait(timeout=60) == 0, app.log.read_text()


def no_pack(session):
    """Without a pack: a message with the reason, and the same again."""
    build = ROOT / "build" / "release" / "lib"
    app = session.start("no-pack", session.work / "few" / "dog.jpg", LD_LIBRARY_PATH=str(build),
                        ITEM_PACK_PATH="/nowhere/pack")
    app.activate("ai-check")
    assert "0 of 1 done" in app.wait_run(1)
    wait_for("the reason", lambda: app.text("/nowhere/pack"))
    session.screenshot("no-pack")
    close_window(app)


def make_folders(work):
    few, many, moving = work / "few", work / "many", work / "moving"
    for folder in (few, many, moving):
        folder.mkdir()
    (few / "folder.jpg").mkdir()
    shutil.copy(PICTURES / "surfing_dog.jpg", few / "dog.jpg")
    picture = (PICTURES / "chelsea.jpg").read_bytes()
    lying = subprocess.run(["convert", PICTURES / "chelsea.jpg", "-rotate", "-90", "-quality", "95",
                            "jpg:-"], check=True, capture_output=True).stdout
    (few / "turned.jpg").write_bytes(lying[:2] + TURNED + lying[2:])
    (few / "broken.jpg").write_bytes(picture[:3000])
    (few / "words.jpg").write_text("no picture at all\n")
    for name in ("a", "b", "c"):
        shutil.copy(PICTURES / "surfing_dog.jpg", moving / f"{name}.jpg")
    for source in PICTURES.glob("*.jpg"):
        for copy in ("a", "b"):
            shutil.copy(source, many / f"{copy}_{source.name}")


def main():
    prefix, screenshots = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="item-gthumb-") as name:
        work = Path(name)
        place_extension(work)
        make_folders(work)
        session = Session(prefix, screenshots, work, sys.argv[3:] == ["valgrind"])
        try:
            app = check_one(session)
            check_bad(session, app)
            close_window(app)
            if not session.valgrind:  # under which a window opens in a minute
                close_window(cancel_run(session))
                close_window(changes_meanwhile(session))
                no_pack(session)
            for app in session.started:
                assert not app.faults(), app.faults()
        except BaseException:
            session.screenshot("unexpected")
            for log in work.glob("*.log"):
                print(log.name, log.read_text(errors="replace"), sep="\n", flush=True)
            raise
        finally:
            for app in session.started:
                app.process.kill()
    print("all passed")


if __name__ == "__main__":
    main()
