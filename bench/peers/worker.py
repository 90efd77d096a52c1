# SPDX-License-Identifier: Apache-2.0
"""One run of one peer in a process of its own: worker.py JOB.json, which peers.py writes.

What the frame loop costs is measured here: frames lie in memory, imports and a few frames of warm-up are over."""
import importlib
import json
import sys
import time

import numpy as np

from scan import matrix, read_scan, write_mesh, write_trajectory
from settings import SIDES

WARM_UP_FRAMES = 5


def memory_mb(key):
    """VmRSS or VmHWM (the peak) of this process."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def run_frames(peer, count):
    """Milliseconds of each frame, and the CPU time of all in seconds."""
    frame_ms, cpu_s = np.zeros(count), 0.0
    for i in range(count):
        peer.prepare(i)
        start, cpu = time.perf_counter(), time.process_time()
        peer.frame(i)
        cpu_s += time.process_time() - cpu
        frame_ms[i] = 1e3 * (time.perf_counter() - start)
    return frame_ms, cpu_s


def main(path):
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    side = SIDES[job["side"]]
    module = importlib.import_module(side["module"])
    scan = read_scan(job["dataset"], job["frames"], job["frames"])
    scan.poses = [matrix(pose) for pose in scan.poses]
    scan.depth = np.load(job["depth"])
    scan.depth_mm = job["depth_mm"]
    run_frames(module.create(job, side["settings"], scan), min(WARM_UP_FRAMES, job["frames"]))

    base_mb = memory_mb("VmRSS") - scan.depth.nbytes / 1e6
    peer = module.create(job, side["settings"], scan)
    frame_ms, cpu_s = run_frames(peer, job["frames"])
    frames_mb = memory_mb("VmHWM") - scan.depth.nbytes / 1e6
    mesh = peer.mesh()
    if mesh is not None:
        write_mesh(job["mesh"], *mesh)
    if peer.poses is not None:
        write_trajectory(job["trajectory"], scan.times, peer.poses)
    result = {
        "frames": job["frames"],
        "fps": 1e3 * job["frames"] / float(frame_ms.sum()),
        "frame_ms_median": float(np.median(frame_ms)),
        "cpu_ms_a_frame": 1e3 * cpu_s / job["frames"],
        "memory_mb": memory_mb("VmHWM") - scan.depth.nbytes / 1e6,
        "memory_before_the_mesh_mb": frames_mb,
        "memory_of_the_libraries_mb": base_mb,
        "tracked": None if peer.poses is None else sum(pose is not None for pose in peer.poses),
    }
    with open(job["result"], "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(sys.argv[1])
