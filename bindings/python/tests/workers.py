# SPDX-License-Identifier: Apache-2.0
"""What spawned processes run: one context each."""

from __future__ import annotations

import functools

import libitem


@functools.lru_cache(maxsize=1)
def context() -> libitem.Context:
    return libitem.open()


def check(path: str) -> libitem.Result:
    return context().check(path)
