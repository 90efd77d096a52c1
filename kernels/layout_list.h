/* SPDX-License-Identifier: Apache-2.0
 *
 * Every struct of layout.h. Launches take the sizes of struct arguments from here, and the self-check compares the sizes
 * on both sides. A new struct is added to layout.h and to this list. */
#ifndef ENM_LAYOUT_LIST_H
#define ENM_LAYOUT_LIST_H

#include "layout.h"

#define ENM_K_STRUCTS(X) \
	X(enm_k_voxel) \
	X(enm_k_volume) \
	X(enm_k_camera) \
	X(enm_k_pose) \
	X(enm_k_input) \
	X(enm_k_course) \
	X(enm_k_track) \
	X(enm_k_level) \
	X(enm_k_keyframe) \
	X(enm_k_candidate) \
	X(enm_k_island) \
	X(enm_k_recovery) \
	X(enm_k_blocks) \
	X(enm_k_report) \
	X(enm_k_foreign) \
	X(enm_k_foreign_frame) \
	X(enm_k_refine) \
	X(enm_k_node) \
	X(enm_k_pair) \
	X(enm_k_view) \
	X(enm_k_hit) \
	X(enm_k_draw) \
	X(enm_k_vertex) \
	X(enm_k_piece) \
	X(enm_k_surface)

#endif
