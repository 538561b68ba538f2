# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, threads, and other processes."""

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref

import libitem
import numpy as np
import pytest
import stand_ins
import workers
from conftest import DOG
from libitem._calls import interruptible

BLACK = np.zeros((20, 30, 3), np.uint8)


def run(code, *arguments):
    """A program of its own; killed if it hangs."""
    return subprocess.run(
        [sys.executable, "-c", LISTEN + code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


# What a shell began in the background ignores Ctrl-C, and so would what is begun here.
LISTEN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


# Runs child(queue) in a forked process, and prints the three things that it puts into the queue.
FORK = """
fork = multiprocessing.get_context("fork")
queue = fork.SimpleQueue()
process = fork.Process(target=child, args=(queue,))
process.start()
for _ in range(3):
    print(queue.get())
process.join()
"""


INTERRUPTED = """
import os, signal, threading, time
import libitem, numpy as np, stand_ins

class Endless(stand_ins.StandIn):
    def caption(self, pictures, call):
        begun.set()
        while True:  # until Ctrl-C: nothing else ends this program
            call.stop_if_cancelled()
            time.sleep(0.01)

begun = threading.Event()
def interrupt():
    begun.wait()
    print("at", time.monotonic(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)

picture = np.zeros((20, 30, 3), np.uint8)
context = stand_ins.open(captioner=Endless())
threading.Thread(target=interrupt).start()
try:
    CALL
except KeyboardInterrupt:
    print("until", time.monotonic())
print(stand_ins.open().check(picture).caption)
"""


@pytest.mark.parametrize(
    "call",
    [
        "context.check(picture)",
        "list(context.check_many([picture] * 9))",
        "context.caption(picture)",
        'libitem.extract(context, [__import__("conftest").DOG], label="real")',
    ],
)
def test_ctrl_c_ends_a_call(call):
    done = run(INTERRUPTED.replace("CALL", call))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["at", "until", "a"], done.stdout


NETWORKS = """
import os, signal, sys, threading, time
import libitem
libitem.set_threads(1)
context = libitem.open(batch=64)
context.check(sys.argv[1])  # the engine is loaded
def interrupt():
    time.sleep(0.5)
    print("at", time.monotonic(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    list(context.check_many([sys.argv[1]] * 64))  # many seconds, in one call
except KeyboardInterrupt:
    print("until", time.monotonic())
print(context.check(sys.argv[1]).verdict)
"""


def test_ctrl_c_ends_networks(item):
    done = run(NETWORKS, DOG)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["at", "until", "unsure"], done.stdout


def test_an_interrupted_call_keeps_its_cancel():
    """libitem looks at the handle to the end of the call, for which nobody waits any more."""
    cancel, end, ended = libitem.Cancel(), threading.Event(), threading.Event()
    seen = weakref.ref(cancel)

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        end.wait(60)
        ended.set()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interruptible(work, cancel)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, before)
    del cancel
    gc.collect()
    assert seen() is not None and seen().is_set and not ended.is_set()
    end.set()


def test_other_handlers_of_signals_run_meanwhile():
    """A call goes on when a handler raises nothing."""
    seen = []

    class Slow(stand_ins.StandIn):
        def caption(self, pictures, call):
            os.kill(os.getpid(), signal.SIGUSR1)
            end = time.monotonic() + 60
            while not seen and time.monotonic() < end:
                time.sleep(0.01)
            return super().caption(pictures, call)

    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        with stand_ins.open(captioner=Slow()) as context:
            assert context.check(BLACK).caption and seen == [1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_other_threads_run_while_networks_compute(item):
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    time.sleep(0.05)
    before = counted[0]
    item.check(DOG)
    stop.set()
    thread.join()
    assert counted[0] - before > 100  # a lock held by the call would leave it at one or two


def test_threads_share_a_context(item, dog):
    found = []
    threads = [threading.Thread(target=lambda: found.append(item.check(DOG))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.caption for r in found] == [dog.caption] * 4


def test_cancel_from_another_thread():
    begun, cancel = threading.Event(), libitem.Cancel()

    class Endless(stand_ins.StandIn):
        def caption(self, pictures, call):
            begun.set()
            while True:
                call.stop_if_cancelled()
                time.sleep(0.01)

    def set_later():
        begun.wait(60)
        cancel.set()

    threading.Thread(target=set_later).start()
    with stand_ins.open(captioner=Endless()) as context:
        with pytest.raises(libitem.CancelledError):
            list(context.check_many([BLACK] * 3, cancel=cancel))
        with pytest.raises(libitem.CancelledError):
            context.check(DOG, cancel=cancel)  # it cannot be taken back


def test_spawned_processes_answer_alike(item, dog):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.map(workers.check, [DOG, DOG])
    for result in found:
        assert result.caption == dog.caption and result.fingerprint == dog.fingerprint
        assert result.probability == pytest.approx(dog.probability, abs=1e-6)
        assert result.image_vector == pytest.approx(dog.image_vector, abs=1e-4)


def test_a_forked_child_is_told_to_spawn():
    """In a program of its own, whose threads nobody else needs."""
    code = """
import multiprocessing, sys, libitem
context = libitem.open()
context.check(sys.argv[1])
def child(queue):
    for use in (lambda: context.check(sys.argv[1]),
                lambda: libitem.open().check(sys.argv[1]),
                lambda: next(context.check_many([sys.argv[1]]))):
        try:
            use()
            queue.put("no exception")
        except libitem.ForkedError as error:
            queue.put(str(error))
""" + FORK + """
print(process.exitcode, context.check(sys.argv[1]).verdict)
"""
    if not os.path.exists(os.environ["ITEM_ENGINE_PATH"]):
        pytest.skip("this build has no engine")
    done = run(code, DOG)
    lines = done.stdout.splitlines()
    assert len(lines) == 4, done.stdout + done.stderr
    for line in lines[:3]:
        assert "spawn" in line and "fork" in line
    assert lines[3] == "0 unsure"


def test_cancels_do_not_pickle_and_pictures_do():
    with pytest.raises(TypeError):
        pickle.dumps(libitem.Cancel())
    assert (pickle.loads(pickle.dumps(libitem.Image(BLACK))).pixels == 0).all()
