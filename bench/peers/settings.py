# SPDX-License-Identifier: Apache-2.0
"""The peers and what they are run with; README.md says what else was tried. Lengths in mm unless named otherwise."""

REGISTRATION, FUSION, WHOLE = "registration", "fusion", "whole"

# Open3D's gates are in metres for rooms: a tooth's millimetre is given to it as a tenth of a metre.
OPEN3D = {
    "unit_per_mm": 0.1,
    "block_resolution": 8,
    "block_count_at_100um": 20000,
    "depth_diff_mm": 0.3,
    "huber_mm": 0.5,
    "iterations_coarse_to_fine": [6, 3, 1],
    "relative_change": 1e-3,
    "weight_threshold": 3,
    "range_map_down_factor": 8,
    "corrected_half_pixel": True,
    "corrected_half_voxel": True,
}
FINE = dict(OPEN3D, block_resolution=4, block_count_at_100um=80000)

SIDES = {
    "open3d-slam": {
        "label": "Open3D slam.Model, tracking and fusion",
        "kind": WHOLE, "module": "side_open3d", "package": "open3d",
        "settings": dict(OPEN3D, color="black pictures, since slam.Model demands some"),
    },
    "open3d-parts": {
        "label": "Open3D's parts without colour, tracking and fusion",
        "kind": WHOLE, "module": "side_open3d", "package": "open3d", "settings": OPEN3D,
    },
    "open3d-fine": {
        "label": "Open3D's parts without colour, blocks of 4, tracking and fusion",
        "kind": WHOLE, "module": "side_open3d", "package": "open3d", "settings": FINE,
    },
    "open3d-fusion": {
        "label": "Open3D VoxelBlockGrid, fusion alone",
        "kind": FUSION, "module": "side_open3d", "package": "open3d", "settings": OPEN3D,
    },
    "vdbfusion": {
        "label": "VDBFusion, fusion alone",
        "kind": FUSION, "module": "side_vdbfusion", "package": "vdbfusion",
        "settings": {"space_carving": False, "weight": "1 a reading", "mesh_min_weight": 3.0, "fill_holes": False},
    },
    "small_gicp": {
        "label": "small_gicp, frame to frame",
        "kind": REGISTRATION, "module": "side_small_gicp", "package": "small_gicp",
        "settings": {"registration_type": "GICP", "downsampling_mm": 0.15, "neighbours": 10,
                     "correspondence_mm": 0.15, "iterations": 20, "rotation_epsilon_rad": 1e-4,
                     "translation_epsilon_mm": 1e-3, "start": "the motion before"},
    },
}
