# SPDX-License-Identifier: Apache-2.0
"""Runs Enamel and its peers in turns on the same frames; run.sh starts it.

    peers.py check DATASET FRAMES       a bad dataset ends it with exit code 2
    peers.py sides [SIDE...]            prints those that can run here, says on stderr why the others cannot
    peers.py run OPTION...              measures, prints the table, writes the JSON
"""
import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys

import report
from scan import ScanError, load_depth, read_scan
from settings import SIDES

FRAMES_LEAST = 10
USAGE_ERROR = 2


class RunError(Exception):
    """A program that did not do its work; the message says which and how it ended."""


def why_absent(package):
    """None, or why the package cannot be used here."""
    result = subprocess.run([sys.executable, "-c", f"import {package}"], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {result.returncode}"


def usable_sides(names):
    common = [f"{package} ({why})" for package in ("numpy", "PIL") if (why := why_absent(package))]
    reasons = {}
    usable = []
    for name in names:
        package = SIDES[name]["package"]
        if package not in reasons:
            reasons[package] = f"all need {common[0]}" if common else why_absent(package)
        if reasons[package]:
            print(f"peers: {name} left out: {reasons[package]}", file=sys.stderr)
        else:
            usable.append(name)
    return usable


def environment(threads):
    """The same number of threads for all; passive waiting, since spinning costs small_gicp on a shared machine dear."""
    count = str(threads)
    return dict(os.environ, OMP_NUM_THREADS=count, OPENBLAS_NUM_THREADS=count, OMP_WAIT_POLICY="PASSIVE",
                POCL_MAX_PTHREAD_COUNT=count, POCL_CPU_MAX_CU_COUNT=count, PYTHONDONTWRITEBYTECODE="1")


def bind_to_cpus(threads):
    """Some libraries know no other limit than the CPUs they may run on. Children inherit it."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < threads:
        raise RunError(f"--threads {threads}: this process may use {len(allowed)} CPUs")
    os.sched_setaffinity(0, allowed[:threads])


class Bench:
    def __init__(self, args):
        self.args = args
        self.scan = read_scan(args.dataset, args.frames, FRAMES_LEAST)
        self.frames = len(self.scan.times)
        self.environment = environment(args.threads)
        self.evaluations = {}
        self.truncation_mm = args.truncation_mm

    def path(self, name):
        return os.path.join(self.args.work, name)

    def start(self, what, command, accepted):
        """Runs a program; its CPU time in seconds."""
        with open(self.path("log"), "w+", encoding="utf-8", errors="replace") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode not in accepted:
                log.seek(0)
                tail = " / ".join(log.read().strip().splitlines()[-3:])
                raise RunError(f"{what} ended with exit code {child.returncode}: {tail}")
        return usage.ru_utime + usage.ru_stime

    def enamel(self, frames):
        args = self.args
        command = [args.enamel, "replay", args.dataset, "--out", self.path("enamel.ply"), "--trajectory",
                   self.path("enamel.txt"), "--report", self.path("enamel.json"), "--start-at-truth",
                   "--voxel-mm", str(args.voxel_mm), "--frames", f"0:{frames}"]
        if self.truncation_mm:
            command += ["--truncation-mm", str(self.truncation_mm)]
        if args.device:
            command += ["--device", args.device]
        cpu_s = self.start("enamel replay", command, (0, 1))
        with open(self.path("enamel.json"), encoding="utf-8") as file:
            replay = json.load(file)
        stages = {name: q["median"] for name, q in replay["stages_ms"].items()}
        return replay, {
            "frames": replay["frames"], "fps": replay["fps"], "stages_ms": stages,
            "fusion_ms": stages["allocate"] + stages["fuse"],
            "depth_and_fusion_ms": stages["depth"] + stages["allocate"] + stages["fuse"],
            "cpu_ms_a_frame": 1e3 * cpu_s / replay["frames"], "memory_mb": replay["host_bytes_peak"] / 1e6,
            "tracked": replay["tracked"],
            **self.evaluate("enamel.ply", "enamel.txt", ["--fused", self.path("enamel.json")]),
        }

    def peer(self, name):
        files = {key: self.path("peer." + suffix)
                 for key, suffix in (("mesh", "ply"), ("trajectory", "txt"), ("result", "result"))}
        for path in files.values():
            if os.path.exists(path):
                os.remove(path)
        job = dict(files, side=name, dataset=self.args.dataset, depth=self.path("depth.npy"), frames=self.frames,
                   depth_mm=self.depth_mm, voxel_mm=self.args.voxel_mm, truncation_mm=self.truncation_mm,
                   threads=self.args.threads)
        with open(self.path("job.json"), "w", encoding="utf-8") as file:
            json.dump(job, file)
        worker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
        self.start(name, [sys.executable, worker, self.path("job.json")], (0,))
        with open(files["result"], encoding="utf-8") as file:
            result = json.load(file)
        trajectory = "peer.txt" if os.path.exists(files["trajectory"]) else None
        if os.path.exists(files["mesh"]):
            result.update(self.evaluate("peer.ply", trajectory, []))
        elif trajectory:
            result.update(self.evaluate(None, trajectory, []))
        return result

    def evaluate(self, mesh, trajectory, options):
        """Errors against the truth in um. Files seen before keep their figures: Enamel's are the same every time."""
        digest = hashlib.sha256()
        for name in (mesh, trajectory):
            if name:
                with open(self.path(name), "rb") as file:
                    digest.update(file.read())
        key = digest.hexdigest()
        if key not in self.evaluations:
            self.evaluations[key] = self.evaluate_anew(mesh, trajectory, options)
        return self.evaluations[key]

    def evaluate_anew(self, mesh, trajectory, options):
        # without a surface the truth stands for it, and what is said of the surface is dropped
        surface = self.path(mesh) if mesh else os.path.join(self.args.dataset, "truth.ply")
        command = [self.args.enamel, "evaluate", surface, "--dataset", self.args.dataset, *options,
                   "--report", self.path("evaluate.json")]
        if trajectory:
            command += ["--trajectory", self.path(trajectory)]
        self.start("enamel evaluate", command, (0, 1))
        with open(self.path("evaluate.json"), encoding="utf-8") as file:
            found = json.load(file)
        surface, path = found["surface"] if mesh else None, found["trajectory"]
        pinned = "pinned_first" if trajectory else "as_placed"
        errors = {}
        if surface:
            errors["trueness_um"] = surface["best_fit"]["mean_um"]
            errors["pinned_um"] = surface[pinned]["mean_um"] if surface[pinned] else None
        if path:
            errors["poses_um"] = path["pinned_first"]["translation"]["median_um"]
            errors["poses_end_um"] = path["pinned_first"]["translation"]["end_um"]
            errors["wrong_poses"] = path["wrong_poses"]
        return errors

    def load(self):
        import numpy as np

        depth = load_depth(self.scan)
        np.save(self.path("depth.npy"), depth)
        seen = depth[depth > 0]
        if seen.size == 0:
            raise ScanError(f"{self.args.dataset}: no reading in any frame")
        # a tenth of room on either side, for the predicted pictures
        self.depth_mm = [0.9 * float(seen.min()) / self.scan.raw_per_mm, 1.1 * float(seen.max()) / self.scan.raw_per_mm]

    def run(self):
        args = self.args
        self.load()
        bind_to_cpus(args.threads)
        print("peers: warming up", file=sys.stderr)
        replay, _ = self.enamel(FRAMES_LEAST)
        self.truncation_mm = replay["truncation_mm"]
        pairs = {name: [] for name in args.sides}
        for repeat in range(args.repeats):
            for name in args.sides:
                print(f"peers: repeat {repeat + 1} of {args.repeats}: {name}", file=sys.stderr)
                pair = {"load_average": os.getloadavg()[0]}
                for who in ("enamel", "peer") if repeat % 2 == 0 else ("peer", "enamel"):
                    pair[who] = self.enamel(self.frames)[1] if who == "enamel" else self.peer(name)
                pairs[name].append(pair)
        with open(self.path("enamel.json"), encoding="utf-8") as file:
            replay = json.load(file)
        return self.result(replay, pairs)

    def result(self, replay, pairs):
        args = self.args
        packages = {SIDES[name]["package"] for name in args.sides} | {"numpy"}
        installed = {p: importlib.metadata.version("open3d-cpu" if p == "open3d" and not has("open3d") else p)
                     for p in sorted(packages)}
        return {
            "date": args.date, "commit": args.commit,
            **{key: replay[key] for key in ("version", "device", "platform", "driver")},
            "dataset": args.name, "frames": self.frames, "pixels": [self.scan.width, self.scan.height],
            "voxel_mm": args.voxel_mm, "truncation_mm": self.truncation_mm, "threads": args.threads,
            "repeats": args.repeats, "color": replay["color"],
            "python": platform.python_version(), "packages": installed,
            "sides": {name: dict(report.summary(SIDES[name], rows), settings=SIDES[name]["settings"], raw=rows)
                      for name, rows in pairs.items()},
        }


def has(distribution):
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def parse(arguments):
    parser = argparse.ArgumentParser()
    for name in ("enamel", "dataset", "name", "work", "out", "commit", "date"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--device")
    for name in ("frames", "repeats", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--voxel-mm", type=float, required=True)
    parser.add_argument("--truncation-mm", type=float)
    parser.add_argument("sides", nargs="+", choices=list(SIDES))
    return parser.parse_args(arguments)


def main(arguments):
    what, rest = arguments[0], arguments[1:]
    if what == "check":
        read_scan(rest[0], int(rest[1]), FRAMES_LEAST)
    elif what == "sides":
        print(" ".join(usable_sides(rest or SIDES)))
    else:
        args = parse(rest)
        found = Bench(args).run()
        report.show(found)
        with open(args.out, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ScanError, RunError) as error:
        print(f"peers: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
