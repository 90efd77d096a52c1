/* SPDX-License-Identifier: Apache-2.0
 * Stitches depth frames from memory into a mesh: example OUT.ply */
#include <enamel.h>
#include <math.h>
#include <stdio.h>

/* What a scanner would see: a bumpy surface 14 mm away, by a camera that has moved to the right. */
static float depth_at(const enm_camera *camera, int u, int v, double moved_mm)
{
	double z = 14;
	for (int i = 0; i < 16; i++) /* closer each time to where the pixel's ray meets the surface */
		z = 14 + sin(0.9 * (z * (u - camera->cx) / camera->fx + moved_mm)) * cos(0.7 * z * (v - camera->cy) / camera->fy);
	return (float)z;
}

int main(int argc, char **argv)
{
	static float depth_mm[240 * 320];
	const enm_camera camera = {320, 240, 240, 240, 159.5, 119.5, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}};
	const enm_context_def context_def = enm_context_def_default();
	const enm_session_def session_def = enm_session_def_default(&camera, ENM_SCALE_TOOTH);
	const enm_mesh_def mesh_def = enm_mesh_def_default();
	enm_context *context = NULL;
	enm_session *session = NULL;
	enm_mesh *mesh = NULL;
	enm_report report;
	enm_result result = enm_context_create(&context_def, &context);
	if (result >= 0)
		result = enm_session_create(context, &session_def, &session);
	for (int i = 0; i < 20 && result >= 0; i++) {
		const enm_frame frame = {depth_mm, ENM_DEPTH_F32_MM, 0, NULL, 0, i * INT64_C(33333333), NULL};
		for (int p = 0; p < 240 * 320; p++)
			depth_mm[p] = depth_at(&camera, p % 320, p / 320, 0.1 * i);
		result = enm_session_push(session, &frame, NULL);
	}
	if (result >= 0)
		result = enm_session_flush(session);
	while (result >= 0 && enm_session_next_report(session, &report) == ENM_OK)
		printf("frame %2d: verdict %d, x %.3f mm\n", (int)report.frame_id, (int)report.verdict, report.world_from_camera.t_mm[0]);
	if (result >= 0)
		result = enm_session_mesh(session, &mesh_def, &mesh);
	if (result >= 0)
		result = enm_mesh_save(mesh, argc > 1 ? argv[1] : "scan.ply", 1);
	if (result < 0)
		fprintf(stderr, "%s: %s\n", enm_result_name(result), enm_last_error());
	enm_mesh_destroy(&mesh);
	enm_session_destroy(&session);
	enm_context_destroy(&context);
	return result < 0;
}
