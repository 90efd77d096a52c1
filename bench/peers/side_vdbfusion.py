# SPDX-License-Identifier: Apache-2.0
"""VDBFusion at the true poses. Its points are made, put into the world and copied into its own vector before the clock
starts: only its integration counts."""
import numpy as np
import vdbfusion
from vdbfusion.pybind import vdbfusion_pybind

from points import Points


class VdbFusion:
    poses = None

    def __init__(self, job, settings, scan):
        self.settings, self.scan, self.source = settings, scan, Points(scan)
        self.volume = vdbfusion.VDBVolume(job["voxel_mm"], job["truncation_mm"], settings["space_carving"])
        self.points = None

    def prepare(self, i):
        pose = self.scan.poses[i]
        world = self.source.of_frame(i) @ pose[:3, :3].T + pose[:3, 3]
        self.points = vdbfusion_pybind._VectorEigen3d(np.ascontiguousarray(world))

    def frame(self, i):
        # what VDBVolume.integrate does once it has copied the points
        self.volume._volume._integrate(self.points, self.scan.poses[i])

    def mesh(self):
        return self.volume.extract_triangle_mesh(self.settings["fill_holes"], self.settings["mesh_min_weight"])


def create(job, settings, scan):
    return VdbFusion(job, settings, scan)
