#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the results of frames.sh, scaling.sh and peers/run.sh.

    python3 bench/plot.py [FOLDER...]        (default: every folder of bench/results)

Reads frames.json, scaling.json and peers-*.json of each folder, as far as they are there, and writes frames, scaling and
peers-* beside them, as .png and .svg. Needs matplotlib (pip install matplotlib); ends with 77 where it is absent, with 2
when a folder has nothing to draw or a file is not what it should be. The same results give the same pictures.
"""
import json
import sys
from pathlib import Path

STAGES = ["upload", "depth", "track", "allocate", "fuse"]
COLORS = ["#3465a4", "#c4540a", "#4e7d1e", "#75507b", "#8f5902", "#2e3436"]
GREY = "#777777"


def fail(text, code=2):
    print(f"plot.py: {text}", file=sys.stderr)
    sys.exit(code)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")


def source_of(result):
    """The line under a picture: whose figures these are."""
    return f"{result['device']}, {result['platform']} {result['driver']}; commit {result['commit']}, {result['date'][:10]}"


def case_name(run):
    return f"{run['voxel_mm']:g} mm voxels, {run['width']}x{run['height']}"


def save(plt, figure, result, path, title):
    figure.suptitle(title, fontsize=11)
    figure.text(0.995, 0.005, source_of(result), ha="right", va="bottom", fontsize=6, color=GREY)
    figure.tight_layout(rect=(0, 0.02, 1, 0.99))
    figure.savefig(path.with_suffix(".png"), dpi=85)
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    plt.close(figure)
    print(f"{path}.png, .svg")


def plain_log(axis):
    """A logarithmic axis that reads 0.1, 1, 10."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: "")


# ---- a frame: its stages and its times ----

def draw_stages(axes, runs):
    """A bar from each stage's floor to its time: the length of the bar is what could be gained."""
    height = 0.8 / len(runs)
    for number, run in enumerate(runs):
        color = COLORS[number]
        for row, stage in enumerate(STAGES):
            y = row + (number - (len(runs) - 1) / 2) * height
            time_ms = run["stages_ms"][stage]["median"]
            axes.plot(time_ms, y, "o", color=color, markersize=5, label=case_name(run) if row == 0 else None)
            floor = run.get("floors", {}).get(stage)
            if not floor:
                continue
            floor_ms = floor["floor_ms"]
            axes.barh(y, time_ms - floor_ms, left=floor_ms, height=0.6 * height, color=color, alpha=0.35)
            axes.plot([floor_ms, floor_ms], [y - 0.42 * height, y + 0.42 * height], color="black", linewidth=1.6,
                      label="floor" if row == 0 and number == len(runs) - 1 else None)
            axes.text(max(time_ms, floor_ms) * 1.25, y, f"{time_ms:.2g} ms, {time_ms / floor_ms:.2g} x floor", fontsize=7,
                      va="center", color=color)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 12)  # room for the numbers
    plain_log(axes.xaxis)
    axes.set_yticks(range(len(STAGES)), STAGES)
    axes.invert_yaxis()
    axes.set_xlabel("ms of device time, median; bar: from the floor to the time")
    axes.set_title("Stages and their floors", fontsize=9)
    axes.legend(fontsize=7, loc="lower left")


def draw_distribution(axes, runs):
    for number, run in enumerate(runs):
        for kind, style in (("serial_ms", "-"), ("latency_ms", ":")):
            times = run[kind]["least_percentiles"]
            what = "one by one" if kind == "serial_ms" else "latency, two under way"
            axes.plot(times, range(len(times)), style, color=COLORS[number], linewidth=1.4,
                      label=f"{run['voxel_mm']:g} mm: {what}")
            axes.plot(times[99], 99, "o", color=COLORS[number], markersize=4)
    axes.set_xscale("log")
    plain_log(axes.xaxis)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
             if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
    axes.set_xticks(ticks)
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)
    axes.set_xlabel("ms, each frame's least of all runs; dot: p99")
    axes.set_ylabel("% of the frames take no longer")
    axes.set_title("A frame from push to report", fontsize=9)
    axes.legend(fontsize=7, loc="lower right")


def draw_frames(plt, folder, path):
    result = read(path)
    runs = result["runs"]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=(1.15, 1))
    draw_stages(axes[0], runs)
    draw_distribution(axes[1], runs)
    fps = ", ".join(f"{run['fps']['median']:.3g} frames/s at {run['voxel_mm']:g} mm" for run in runs)
    save(plt, figure, result, folder / path.stem, f"{runs[0]['dataset']}: {fps}")


# ---- scaling ----

def cost_of(case):
    """Where the device is the CPU the fit is of CPU time, which other programs do not change; so is the cost."""
    return case["cpu_ms_a_frame"] if case["fit"]["of"] == "cpu_ms" else case["serial_ms"]


def draw_against(axes, pairs, value, bound, xlabel, title):
    """A line per pair of cases (small, large), and beside it how fast the cost may grow."""
    for number, (small, large) in enumerate(pairs):
        x = [value(small), value(large)]
        costs = [cost_of(small), cost_of(large)]
        allowed = bound(large) / bound(small)
        axes.plot(x, costs, "o-", color=COLORS[number], label=f"{small['label']}, {large['label']}")
        axes.plot(x, [costs[0], costs[0] * allowed], "--", color=COLORS[number], alpha=0.6,
                  label=f"its bound: x {allowed:.3g}")
        axes.annotate(f"x {costs[1] / costs[0]:.2g}", (x[1], costs[1]), textcoords="offset points", xytext=(7, 0),
                      va="center", fontsize=8, color=COLORS[number])
    axes.margins(x=0.13)
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.set_xlabel(xlabel)
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=7, loc="upper left")
    axes.grid(alpha=0.3)


def draw_growth(axes, cases):
    """Parts of one scan: the model grows, the view does not. Costs are taken to the scan's mean view by its fit."""
    for number, case in enumerate(cases):
        fit, parts = case["fit"], case["parts"]
        key = fit["of"]
        slope = (fit["per_1000_blocks_in_view_ms"] or 0.0) / 1000
        mean = sum(part["blocks_in_view"] for part in parts) / len(parts)
        used = [part["blocks_used"] / 1000 for part in parts]
        costs = [part[key] - slope * (part["blocks_in_view"] - mean) for part in parts]
        axes.plot(used, costs, "o", markersize=4, color=COLORS[number], label=case["label"])
        share = fit["out_of_view_share"]
        if share is not None:
            axes.plot([], [], " ", label=f"  out of view: {100 * share:.1f} % of the mean frame")
    axes.set_ylim(0, 1.4 * axes.get_ylim()[1])
    axes.set_xlabel("blocks in the model, thousands")
    axes.set_title("Against the model's size, at the same view", fontsize=9)
    axes.legend(fontsize=7, loc="upper left")
    axes.grid(alpha=0.3)


def draw_scaling(plt, folder, path):
    result = read(path)
    cases = {case["label"]: case for case in result["cases"]}
    missing = {"quadrant", "quadrant-640x480", "quadrant-half-voxel", "arch", "arch-half-voxel"} - set(cases)
    if missing:
        fail(f"{path}: no case {sorted(missing)[0]}")
    base, arch = cases["quadrant"], cases["arch"]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2))
    draw_against(axes[0], [(base, cases["quadrant-640x480"])], lambda c: c["work"]["pixels"] / 1000,
                 lambda c: c["work"]["pixels"], "thousand pixels", "Against the pixels")
    draw_against(axes[1], [(base, cases["quadrant-half-voxel"]), (arch, cases["arch-half-voxel"])],
                 lambda c: c["voxel_mm"], lambda c: c["work"]["blocks_in_view"], "mm a voxel", "Against the voxel's size")
    axes[1].invert_xaxis()
    draw_growth(axes[2], [arch, cases["arch-half-voxel"]])
    what = "CPU ms a frame, all cores" if base["fit"]["of"] == "cpu_ms" else "ms a frame"
    axes[0].set_ylabel(what)
    save(plt, figure, result, folder / "scaling", "What a frame costs")


# ---- peers ----

def draw_ratios(axes, sides, figures, title):
    """A row per peer, a mark per figure: the median of the ratios of pairs, and their spread."""
    height = 0.7 / len(figures)
    for number, figure in enumerate(figures):
        labelled = False
        for row, side in enumerate(sides):
            found = (side["figures"].get(figure) or {}).get("ratio")
            if not found:
                continue
            y = row + (number - (len(figures) - 1) / 2) * height
            axes.plot([found["min"], found["max"]], [y, y], color=COLORS[number], linewidth=1.4, alpha=0.6)
            axes.plot(found["median"], y, "o", markersize=5, color=COLORS[number], label=None if labelled else figure)
            axes.annotate(f"{found['median']:.2g}", (found["max"], y), textcoords="offset points", xytext=(6, 0),
                          va="center", fontsize=7, color=COLORS[number])
            labelled = True
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.2, high * 1.4)
    plain_log(axes.xaxis)
    axes.set_yticks(range(len(sides)), [side["label"] for side in sides])
    axes.set_ylim(len(sides) - 0.5, -0.5)
    axes.grid(alpha=0.3, axis="x")
    axes.set_xlabel("times better than the peer (right of 1: Enamel is)")
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=7)


def draw_peers(plt, folder, path):
    result = read(path)
    sides = list(result["sides"].values())
    figure, axes = plt.subplots(1, 2, figsize=(12, 1.6 + 0.6 * len(sides)), sharey=True)
    draw_ratios(axes[0], sides, ["frames/s", "CPU ms a frame", "ms a frame", "ms, depth too"], "Speed")
    draw_ratios(axes[1], sides, ["memory MB", "best-fit um", "pinned um", "poses um"], "Memory and accuracy")
    axes[1].tick_params(labelleft=True)
    save(plt, figure, result, folder / path.stem,
         f"Beside peers: {result['dataset']}, {result['voxel_mm']:g} mm voxels, {result['threads']} threads")


# ---- all ----

def draw_folder(plt, folder):
    drawn = 0
    for path in sorted(folder.glob("frames*.json")):
        draw_frames(plt, folder, path)
        drawn += 1
    for path in sorted(folder.glob("peers-*.json")):
        draw_peers(plt, folder, path)
        drawn += 1
    if (folder / "scaling.json").exists():
        draw_scaling(plt, folder, folder / "scaling.json")
        drawn += 1
    return drawn


def main(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return
    if arguments and arguments[0].startswith("-"):
        fail(f"unknown option {arguments[0]} (--help tells what there is)")
    results = Path(__file__).resolve().parent / "results"
    folders = [Path(argument) for argument in arguments] or sorted(p for p in results.glob("*") if p.is_dir())
    for folder in folders:
        if not folder.is_dir():
            fail(f"{folder}: no such folder")
    try:
        import matplotlib
    except ImportError:
        fail("matplotlib is not installed (pip install matplotlib): nothing drawn", 77)
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    plt.rcParams.update({"font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "enamel", "axes.spines.top": False,
                         "axes.spines.right": False})
    try:
        if sum(draw_folder(plt, folder) for folder in folders) == 0:
            fail("no frames.json, scaling.json or peers-*.json to draw")
    except KeyError as error:
        fail(f"a result has no {error}: made by another version? measure again")


if __name__ == "__main__":
    main(sys.argv[1:])
