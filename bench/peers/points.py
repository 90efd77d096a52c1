# SPDX-License-Identifier: Apache-2.0
"""Points of a depth picture, for peers that take points."""
import numpy as np


class Points:
    def __init__(self, scan):
        v, u = np.mgrid[0:scan.height, 0:scan.width]
        self.rays = np.stack([(u - scan.cx) / scan.fx, (v - scan.cy) / scan.fy, np.ones(u.shape)], -1)
        self.scan = scan

    def of_frame(self, i):
        """n x 3, in mm, seen from the camera."""
        depth = self.scan.depth[i]
        seen = depth > 0
        return self.rays[seen] * (depth[seen] / self.scan.raw_per_mm)[:, None]
