# SPDX-License-Identifier: Apache-2.0
"""What a defender gets: do views of one picture agree? Attacked pictures against ordinary ones.

views.py [--pictures 250]

How near the vectors of a picture's views lie to that of the whole: photographs of Flickr8k
beside the pictures that run.py attacked. A limit is set so that 99 in 100 photographs (split
dev) pass; false alarms are told on the split test, and what is found among the attacked.
"""
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "robustness")]
import agreement  # noqa: E402
import common  # noqa: E402
import measure  # noqa: E402
import vectors  # noqa: E402

VIEWS = 6  # the first of item_extract_options: mirrored, the middle, four quarters


def nearness(args, files, name):
    """Least cosine of a view and the whole, by picture."""
    rows = [{"path": str(f), "label": "real", "generator": "", "source": name, "split": "", "prompt": ""}
            for f in files]
    data = vectors.Vectors(common.features(args, rows, f"views-{name}", "--views", str(VIEWS)))
    views = data.column["views"].reshape(len(data), VIEWS, -1)
    return np.einsum("nvd,nd->nv", views, data.image).min(1)


def attacked(args):
    """Folders of pictures that run.py attacked, by name."""
    folders = [p for run in sorted((args.out / "work").glob("attack-*")) for p in sorted(run.iterdir())
               if any(p.glob("*.png"))]
    if not folders:
        raise common.Refused("no attacked pictures: make robustness ONLY=attacks makes them")
    return {p.name: sorted(p.glob("*.png")) for p in folders}


def main():
    args = common.arguments(__doc__, pictures=250)
    near = {split: nearness(args, agreement.captions_of(args, split)[0], split) for split in ("dev", "test")}
    limit = float(np.quantile(near["dev"], 1 - agreement.PASS))
    groups = {"photographs, split test": near["test"]}
    groups.update((name, nearness(args, files, name)) for name, files in attacked(args).items())
    found = {name: {"below": measure.share(np.sum(of < limit), len(of)), "median": float(np.median(of))}
             for name, of in groups.items()}
    rows = [[name, f["below"]["of"], [f["below"]["share"], *f["below"]["interval"]], f["median"]]
            for name, f in found.items()]
    note = (f"Least cosine of the whole picture's vector and that of {VIEWS} views; limit {limit:.3f}, above which "
            f"{agreement.PASS:.0%} of {args.pictures} photographs lie. Of photographs the share is false alarms.")
    table = common.table(["pictures", "how many", "below the limit", "median"], rows, note)
    print(common.write(args, __file__, "views", {"limit": limit, "groups": found}, {"views": table},
                       "make robustness"))


if __name__ == "__main__":
    main()
