# SPDX-License-Identifier: Apache-2.0
"""small_gicp, each frame registered to the one before. Making points of a picture is numpy's work and is not counted;
its own preprocessing (thinning, covariances, search tree) is."""
import numpy as np
import small_gicp

from points import Points


class FrameToFrame:
    def __init__(self, job, settings, scan):
        self.settings, self.source, self.threads = settings, Points(scan), job["threads"]
        self.pose, self.motion, self.before = scan.poses[0].copy(), np.eye(4), None
        self.poses, self.points = [], None

    def prepare(self, i):
        self.points = self.source.of_frame(i)

    def frame(self, i):
        s = self.settings
        cloud, tree = small_gicp.preprocess_points(self.points, s["downsampling_mm"], s["neighbours"], self.threads)
        tracked = True
        if self.before is not None:
            result = small_gicp.align(
                self.before[0], cloud, self.before[1], self.motion, s["registration_type"], s["correspondence_mm"],
                self.threads, s["iterations"], s["rotation_epsilon_rad"], s["translation_epsilon_mm"])
            self.motion = result.T_target_source
            self.pose = self.pose @ self.motion
            tracked = bool(result.converged)
        self.before = (cloud, tree)
        self.poses.append(self.pose.copy() if tracked else None)

    def mesh(self):
        return None


def create(job, settings, scan):
    return FrameToFrame(job, settings, scan)
