# SPDX-License-Identifier: Apache-2.0
"""Workers of Dask that a picture of the name poison.jpg ends, wherever it is checked."""

import os

import libitem.dask
from distributed import WorkerPlugin


class Deadly(WorkerPlugin):
    name = "deadly"

    def setup(self, worker):
        check = libitem.dask._rows

        def rows(todo, settings):
            if any(picture.facts.path.endswith("poison.jpg") for picture in todo):
                os._exit(9)
            return check(todo, settings)

        libitem.dask._rows = rows
