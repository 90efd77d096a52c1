# SPDX-License-Identifier: Apache-2.0
"""Ratios of interleaved pairs, and the table. A ratio above 1 is in Enamel's favour."""
from statistics import median

from settings import FUSION, REGISTRATION, WHOLE

# label, key of the peer, key of Enamel, whether more is better, decimals, kinds of sides
METRICS = [
    ("frames/s", "fps", "fps", True, 1, (WHOLE, REGISTRATION)),
    ("CPU ms a frame", "cpu_ms_a_frame", "cpu_ms_a_frame", False, 1, (WHOLE, REGISTRATION)),
    ("ms a frame", "frame_ms_median", "fusion_ms", False, 2, (FUSION,)),
    ("ms, depth too", "frame_ms_median", "depth_and_fusion_ms", False, 2, (FUSION,)),
    ("memory MB", "memory_mb", "memory_mb", False, 0, (WHOLE, FUSION, REGISTRATION)),
    ("tracked %", "tracked_percent", "tracked_percent", True, 1, (WHOLE, REGISTRATION)),
    ("wrong poses", "wrong_poses", "wrong_poses", None, 0, (WHOLE, REGISTRATION)),
    ("best-fit um", "trueness_um", "trueness_um", False, 1, (WHOLE, FUSION)),
    ("pinned um", "pinned_um", "pinned_um", False, 1, (WHOLE,)),
    ("poses um", "poses_um", "poses_um", False, 0, (WHOLE, REGISTRATION)),
    ("poses um, end", "poses_end_um", "poses_end_um", False, 0, (WHOLE, REGISTRATION)),
]


def figure(run, key):
    if key == "tracked_percent":
        return None if run.get("tracked") is None else 100 * run["tracked"] / run["frames"]
    return run.get(key)


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def one_metric(rows, peer_key, enamel_key, more_is_better):
    """Medians of both, and of the pairs' ratios; None where a side has no such figure."""
    pairs = [(figure(row["peer"], peer_key), figure(row["enamel"], enamel_key)) for row in rows]
    if any(peer is None or enamel is None for peer, enamel in pairs):
        return None
    found = {"peer": spread([p for p, _ in pairs]), "enamel": spread([e for _, e in pairs]), "ratio": None}
    if more_is_better is not None and all(p > 0 and e > 0 for p, e in pairs):
        found["ratio"] = spread([e / p if more_is_better else p / e for p, e in pairs])
    return found


def summary(side, rows):
    figures = {}
    for label, peer_key, enamel_key, more, _, kinds in METRICS:
        if side["kind"] in kinds:
            figures[label] = one_metric(rows, peer_key, enamel_key, more)
    return {"label": side["label"], "kind": side["kind"], "figures": figures}


def cell(values, decimals):
    if values["min"] == values["max"]:
        return f"{values['median']:.{decimals}f}"
    return f"{values['median']:.{decimals}f} ({values['min']:.{decimals}f} to {values['max']:.{decimals}f})"


def show(found):
    print(f"device    {found['device']} ({found['platform']}, driver {found['driver']})")
    print(f"dataset   {found['dataset']}: {found['frames']} frames of {found['pixels'][0]} x {found['pixels'][1]}, "
          f"voxel {found['voxel_mm']:g} mm, truncation {found['truncation_mm']:g} mm")
    print(f"peers     {', '.join(f'{name} {version}' for name, version in found['packages'].items())}")
    print(f"runs      {found['repeats']} a peer, each with one of Enamel, in turns; {found['threads']} threads; medians (least to most); "
          "a ratio above 1 is in Enamel's favour")
    if found["color"]:
        print("note      Enamel fused colour too, the peers none")
    decimals = {metric[0]: metric[4] for metric in METRICS}
    for side in found["sides"].values():
        print(f"\n{side['label']}")
        print(f"  {'':16}{'peer':>28}{'Enamel':>28}{'ratio':>26}")
        for label, values in side["figures"].items():
            texts = ["-", "-", "-"]
            if values:
                texts = [cell(values["peer"], decimals[label]), cell(values["enamel"], decimals[label]),
                         cell(values["ratio"], 2) if values["ratio"] else "-"]
            print(f"  {label:16}{texts[0]:>28}{texts[1]:>28}{texts[2]:>26}")
        if side["kind"] == FUSION:
            print("  (the peer fused at the true poses, Enamel at those it found)")
