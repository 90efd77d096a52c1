# SPDX-License-Identifier: Apache-2.0
"""A recorded scan in the folder form, and the files that `enamel evaluate` reads. Lengths in mm.

The lists are read with Python's own means alone, so that a bad dataset is named before any package is asked for."""
import json
import math
import os

TIME_TOLERANCE_S = 1e-3  # as `enamel evaluate` matches frames with true poses


class ScanError(Exception):
    """What is wrong with the dataset, for the user."""


class Scan:
    """width, height, fx, fy, cx, cy; raw_per_mm; times (text), files; poses: 7 numbers a frame, world from camera."""


def _rows(path, columns):
    if not os.path.isfile(path):
        raise ScanError(f"{path}: missing")
    rows = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) < columns:
                raise ScanError(f"{path}:{number}: {columns} columns wanted")
            rows.append((number, words))
    return rows


def _number(path, row, word):
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ScanError(f"{path}:{row}: {word}: no number")
    return value


def _camera(path, scan):
    try:
        with open(path, encoding="utf-8") as file:
            camera = json.load(file)
        m = [float(v) for v in camera["intrinsic_matrix"]]
        scan.width, scan.height = int(camera["width"]), int(camera["height"])
        scan.fx, scan.fy, scan.cx, scan.cy = m[0], m[4], m[6], m[7]
        scan.raw_per_mm = float(camera["depth_scale"])
        unit = camera["depth_unit"]
    except OSError as error:
        raise ScanError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ScanError(f"{path}: not a camera: {type(error).__name__}: {error}") from error
    if unit != "mm":
        raise ScanError(f"{path}: depth_unit is {unit}; the peers' settings are for teeth, in mm")
    if any(camera.get("distortion") or []) or any((camera.get("depth_residual") or {}).values()):
        raise ScanError(f"{path}: distortion or depth_residual: the peers do not know them")
    if min(scan.width, scan.height, scan.fx, scan.fy, scan.raw_per_mm) <= 0:
        raise ScanError(f"{path}: a size, focal length or scale is not above 0")


def _poses_at(path, times):
    """The true pose of each time; both lists ascend."""
    truth = [[_number(path, row, word) for word in words[:8]] for row, words in _rows(path, 8)]
    poses, at = [], 0
    for time in times:
        while at < len(truth) and truth[at][0] < float(time) - TIME_TOLERANCE_S:
            at += 1
        if at == len(truth) or truth[at][0] > float(time) + TIME_TOLERANCE_S:
            raise ScanError(f"{path}: no true pose for the frame at {time} s, which fusion alone needs")
        if sum(v * v for v in truth[at][4:8]) < 1e-6:
            raise ScanError(f"{path}: the quaternion at {time} s is 0")
        poses.append(truth[at][1:8])
    return poses


def read_scan(folder, wanted, least):
    """The first `wanted` frames (0: all); fewer than `least` are an error."""
    if not os.path.isdir(folder):
        raise ScanError(f"{folder}: no such folder")
    scan = Scan()
    _camera(os.path.join(folder, "camera.json"), scan)
    path = os.path.join(folder, "depth.txt")
    rows = _rows(path, 2)
    if len(rows) < max(wanted, least):
        raise ScanError(f"{path}: {len(rows)} frames, at least {max(wanted, least)} wanted")
    rows = rows[: wanted or len(rows)]
    scan.times = [words[0] for _, words in rows]
    values = [_number(path, row, words[0]) for row, words in rows]
    if any(b <= a for a, b in zip(values, values[1:])):
        raise ScanError(f"{path}: times do not ascend")
    scan.files = [os.path.join(folder, words[1]) for _, words in rows]
    scan.poses = _poses_at(os.path.join(folder, "groundtruth.txt"), scan.times)
    return scan


def load_depth(scan):
    """All frames as one array of raw readings, 0 where there is none."""
    import numpy as np
    from PIL import Image

    depth = np.empty((len(scan.files), scan.height, scan.width), np.uint16)
    for i, path in enumerate(scan.files):
        try:
            with Image.open(path) as image:
                picture = np.asarray(image)
        except (OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
            raise ScanError(f"{path}: {error}") from error
        if picture.shape != depth.shape[1:] or picture.dtype.kind not in "iu":
            raise ScanError(f"{path}: not a 16-bit picture of {scan.width} x {scan.height}")
        depth[i] = picture
    return depth


def matrix(pose):
    """world_from_camera, 4x4, of tx ty tz qx qy qz qw."""
    import numpy as np

    q = np.array(pose[3:7]) / np.linalg.norm(pose[3:7])
    x, y, z, w = q
    m = np.eye(4)
    m[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    m[:3, 3] = pose[:3]
    return m


def quaternion(r):
    """qx qy qz qw of a rotation matrix, by the largest of the four for precision."""
    squares = [1 + r[0][0] - r[1][1] - r[2][2], 1 - r[0][0] + r[1][1] - r[2][2],
               1 - r[0][0] - r[1][1] + r[2][2], 1 + r[0][0] + r[1][1] + r[2][2]]
    k = squares.index(max(squares))
    products = [
        [squares[0], r[0][1] + r[1][0], r[0][2] + r[2][0], r[2][1] - r[1][2]],
        [r[0][1] + r[1][0], squares[1], r[1][2] + r[2][1], r[0][2] - r[2][0]],
        [r[0][2] + r[2][0], r[1][2] + r[2][1], squares[2], r[1][0] - r[0][1]],
        [r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1], squares[3]],
    ][k]
    return [float(v) / (2 * math.sqrt(squares[k])) for v in products]


def write_trajectory(path, times, poses):
    """TUM form: poses are 4x4 in mm, None where a frame was not tracked."""
    with open(path, "w", encoding="utf-8") as file:
        for time, pose in zip(times, poses):
            if pose is not None:
                values = [float(v) for v in pose[:3, 3]] + quaternion(pose[:3, :3])
                file.write(" ".join([time] + [f"{v:.9f}" for v in values]) + "\n")


def write_mesh(path, vertices_mm, triangles):
    """Binary PLY."""
    import numpy as np

    faces = np.empty(len(triangles), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, triangles
    with open(path, "wb") as file:
        file.write((
            "ply\nformat binary_little_endian 1.0\n"
            f"element vertex {len(vertices_mm)}\nproperty float x\nproperty float y\nproperty float z\n"
            f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n").encode())
        file.write(np.ascontiguousarray(vertices_mm, "<f4").tobytes())
        file.write(faces.tobytes())
