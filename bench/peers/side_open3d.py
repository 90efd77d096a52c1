# SPDX-License-Identifier: Apache-2.0
"""Open3D on the CPU: slam.Model, the same steps put together from its public parts without colour, and fusion alone.

Two offsets of its own are corrected from outside, without which it drifts by millimetres (README.md): fusion takes the
pixel at or before a projection instead of the nearest, so it gets a camera moved by half a pixel; the raycast takes the
voxel at or before a point instead of the nearest, so it gets a pose moved by half a voxel."""
import numpy as np
import open3d as o3d
import open3d.core as o3c

DEVICE = o3c.Device("CPU:0")
odometry = o3d.t.pipelines.odometry
IDENTITY = o3c.Tensor(np.eye(4))


class Open3d:
    """What the three have in common: images, cameras, units, poses."""

    def __init__(self, job, settings, scan):
        # Each run would warn of its first frames, which have no picture yet.
        o3d.utility.set_verbosity_level(o3d.utility.VerbosityLevel.Error)
        self.settings, self.scan = settings, scan
        self.unit = settings["unit_per_mm"]
        self.voxel = job["voxel_mm"] * self.unit
        self.truncation_voxels = job["truncation_mm"] / job["voxel_mm"]
        self.depth_scale = scan.raw_per_mm / self.unit
        self.depth_min, self.depth_max = (v * self.unit for v in scan.depth_mm)
        self.images = [o3d.t.geometry.Image(o3c.Tensor.from_numpy(frame)) for frame in scan.depth]
        self.camera = self.camera_moved(0)
        self.camera_fuse = self.camera_moved(0.5 if settings["corrected_half_pixel"] else 0)
        self.raycast_shift = 0.5 * self.voxel if settings["corrected_half_voxel"] else 0
        self.block_count = int(settings["block_count_at_100um"] * (0.1 / job["voxel_mm"]) ** 2)
        self.pose = self.scaled(scan.poses[0])
        self.poses = []
        relative = settings["relative_change"]
        self.criteria = [odometry.OdometryConvergenceCriteria(i, relative, relative)
                         for i in settings["iterations_coarse_to_fine"]]

    def camera_moved(self, pixels):
        s = self.scan
        return o3c.Tensor(np.array([[s.fx, 0, s.cx + pixels], [0, s.fy, s.cy + pixels], [0, 0, 1.0]]))

    def scaled(self, pose_mm):
        pose = pose_mm.copy()
        pose[:3, 3] *= self.unit
        return pose

    def shifted(self):
        pose = self.pose.copy()
        pose[:3, 3] += self.raycast_shift
        return pose

    def prepare(self, i):
        pass

    def frame(self, i):
        tracked = True
        if i > 0:
            try:
                motion = self.track(i)
            except RuntimeError:  # a singular system: it found too few readings to align
                tracked = False
            else:
                pose = self.pose @ motion
                tracked = bool(np.isfinite(pose).all())
                self.pose = pose if tracked else self.pose
        if tracked:
            self.fuse(i)
            self.raycast(i)
        pose = self.pose.copy()
        pose[:3, 3] /= self.unit
        self.poses.append(pose if tracked else None)

    def mesh_of(self, mesh):
        return mesh.vertex.positions.numpy() / self.unit, mesh.triangle.indices.numpy()


class Slam(Open3d):
    """slam.Model, as in Open3D's example."""

    def __init__(self, job, settings, scan):
        super().__init__(job, settings, scan)
        slam = o3d.t.pipelines.slam
        self.model = slam.Model(self.voxel, settings["block_resolution"], self.block_count, o3c.Tensor(self.pose), DEVICE)
        size = (scan.height, scan.width)
        self.input, self.input_fuse = (slam.Frame(*size, camera, DEVICE) for camera in (self.camera, self.camera_fuse))
        self.cast = slam.Frame(*size, self.camera, DEVICE)
        self.black = o3d.t.geometry.Image(o3c.Tensor(np.zeros((*size, 3), np.uint8)))

    def track(self, i):
        self.input.set_data_from_image("depth", self.images[i])
        self.input.set_data_from_image("color", self.black)
        return self.model.track_frame_to_model(
            self.input, self.cast, self.depth_scale, self.depth_max, self.settings["depth_diff_mm"] * self.unit,
            odometry.Method.PointToPlane, self.criteria).transformation.numpy()

    def fuse(self, i):
        self.input_fuse.set_data_from_image("depth", self.images[i])
        self.input_fuse.set_data_from_image("color", self.black)
        self.model.update_frame_pose(i, o3c.Tensor(self.pose))
        self.model.integrate(self.input_fuse, self.depth_scale, self.depth_max, self.truncation_voxels)

    def raycast(self, i):
        self.model.update_frame_pose(i, o3c.Tensor(self.shifted()))
        # A threshold below 0 stands for the number of frames so far, 3 at most.
        self.model.synthesize_model_frame(
            self.cast, self.depth_scale, self.depth_min, self.depth_max, self.truncation_voxels, False, -1.0)

    def mesh(self):
        return self.mesh_of(self.model.extract_trianglemesh(float(self.settings["weight_threshold"])))


class Parts(Open3d):
    """What slam.Model does, with a grid that has no colour."""

    def __init__(self, job, settings, scan):
        super().__init__(job, settings, scan)
        self.grid = o3d.t.geometry.VoxelBlockGrid(
            ("tsdf", "weight"), (o3c.float32, o3c.float32), ((1), (1)), self.voxel, settings["block_resolution"],
            self.block_count, DEVICE)
        self.loss = odometry.OdometryLossParams(settings["depth_diff_mm"] * self.unit, settings["huber_mm"] * self.unit)
        self.cast = self.blocks = None

    def track(self, i):
        source, target = o3d.t.geometry.RGBDImage(), o3d.t.geometry.RGBDImage()
        source.depth, target.depth = self.images[i], self.cast
        return odometry.rgbd_odometry_multi_scale(
            source, target, self.camera, IDENTITY, self.depth_scale, self.depth_max, self.criteria,
            odometry.Method.PointToPlane, self.loss).transformation.numpy()

    def fuse(self, i):
        extrinsic = o3c.Tensor(np.linalg.inv(self.pose))
        limits = (self.depth_scale, self.depth_max, self.truncation_voxels)
        self.blocks = self.grid.compute_unique_block_coordinates(self.images[i], self.camera_fuse, extrinsic, *limits)
        self.grid.integrate(self.blocks, self.images[i], self.camera_fuse, extrinsic, *limits)

    def raycast(self, i):
        threshold = min(i, self.settings["weight_threshold"])
        result = self.grid.ray_cast(
            self.blocks, self.camera, o3c.Tensor(np.linalg.inv(self.shifted())), self.scan.width, self.scan.height,
            ["depth"], self.depth_scale, self.depth_min, self.depth_max, threshold, self.truncation_voxels,
            self.settings["range_map_down_factor"])
        self.cast = o3d.t.geometry.Image(result["depth"])

    def mesh(self):
        return self.mesh_of(self.grid.extract_triangle_mesh(float(self.settings["weight_threshold"])))


class Fusion(Parts):
    """Fusion alone, at the true poses."""

    def __init__(self, job, settings, scan):
        super().__init__(job, settings, scan)
        self.poses = None

    def prepare(self, i):
        self.pose = self.scaled(self.scan.poses[i])

    def frame(self, i):
        self.fuse(i)


def create(job, settings, scan):
    kinds = {"open3d-slam": Slam, "open3d-parts": Parts, "open3d-fine": Parts, "open3d-fusion": Fusion}
    return kinds[job["side"]](job, settings, scan)
