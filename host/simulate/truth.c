/* SPDX-License-Identifier: Apache-2.0 */
#include "truth.h"

#include "file.h"
#include "json.h"

static host_status write_surface(const char *folder, const body *b)
{
	char path[FILE_PATH_MAX];
	enm_mesh *mesh = NULL;
	enm_mesh_data data = {.vertex_count = b->vertex_count,
		.triangle_count = b->triangle_count,
		.positions_mm = b->positions_mm,
		.normals = b->normals,
		.colors_rgb = b->colors_rgb,
		.triangles = b->triangles};
	host_status status = path_join(folder, "truth.ply", path);
	if (status != HOST_OK)
		return status;
	enm_result result = enm_mesh_create(&data, &mesh);
	if (result >= 0)
		result = enm_mesh_save(mesh, path, 1);
	status = host_fail_result(result, enm_last_error());
	enm_mesh_destroy(&mesh);
	return status;
}

static json_t *point(v3 p)
{
	return json_numbers((const double[3]){p.x, p.y, p.z}, 3);
}

static void put_marks(json_t *root, const body *b, bool *ok)
{
	json_t *marks = json_object();
	for (size_t i = 0; i < b->landmark_count; i++)
		json_put(marks, b->landmarks[i].name, point(b->landmarks[i].at_mm), ok);
	json_put(root, "landmarks", marks, ok);
	if (b->margin_count) {
		json_t *margin = json_array();
		for (size_t i = 0; i < b->margin_count; i++)
			*ok = *ok && !json_array_append_new(margin, point(b->margin_mm[i]));
		json_put(root, "margin", margin, ok);
	}
	if (b->sphere_count) {
		json_t *spheres = json_array();
		for (size_t i = 0; i < b->sphere_count; i++) {
			const float *s = b->spheres_mm + 4 * i;
			const double row[4] = {(double)s[0], (double)s[1], (double)s[2], (double)s[3]};
			*ok = *ok && !json_array_append_new(spheres, json_numbers(row, 4));
		}
		json_put(root, "spheres", spheres, ok);
	}
}

static void put_residual(json_t *root, const enm_depth_residual *r, double gain_percent, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "bow_um", json_real((double)r->bow_um), ok);
	json_put(object, "astigmatism_um", json_real((double)r->astigmatism_um), ok);
	json_put(object, "twist_um", json_real((double)r->twist_um), ok);
	json_put(object, "tilt_x_um", json_real((double)r->tilt_x_um), ok);
	json_put(object, "tilt_y_um", json_real((double)r->tilt_y_um), ok);
	json_put(object, "constant_um", json_real((double)r->constant_um), ok);
	json_put(object, "gain_percent", json_real(gain_percent), ok);
	json_put(root, "residual", object, ok);
}

/* What the wand comes back to after a lift-off. */
static const char *place_of(const path_def *path, int visit)
{
	static const char *const PLACES[REENTRY_KINDS] = {[REENTRY_ALONG] = "scanned",
		[REENTRY_SCANNED] = "scanned",
		[REENTRY_OTHER_JAW] = "other-jaw",
		[REENTRY_MIRRORED] = "mirrored",
		[REENTRY_OPPOSITE] = "opposite"};
	return visit < path->lift_offs ? PLACES[path->reentry] : "scanned";
}

static void put_reentries(json_t *root, const sim_config *c, const view_list *seen, bool *ok)
{
	if (!seen->reentry_count)
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < seen->reentry_count; i++) {
		const reentry *r = &seen->reentries[i];
		json_t *object = json_object();
		json_put(object, "lifted_s", json_real(r->lifted_s), ok);
		json_put(object, "back_s", json_real(r->back_s), ok);
		json_put(object, "place", json_string(place_of(&c->path, r->visit)), ok);
		*ok = *ok && !json_array_append_new(list, object);
	}
	json_put(root, "reentries", list, ok);
}

static void put_origin(json_t *root, const sim_config *c, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "program", json_string("enamel-simulate"), ok);
	json_put(object, "version", json_string(enm_version()), ok);
	json_put(object, "body", json_foreign(path_base(c->body)), ok);
	json_put(object, "scenario", json_string(sim_scenarios[c->scenario]), ok);
	json_put(object, "seed", json_integer((json_int_t)c->seed), ok);
	json_put(object, "scanner_seed", json_integer((json_int_t)c->scanner_seed), ok);
	json_put(root, "simulated", object, ok);
}

host_status truth_write(const char *folder, const sim_config *config, const body *b, const enm_depth_residual *residual,
	const view_list *seen)
{
	char path[FILE_PATH_MAX];
	host_status status = write_surface(folder, b);
	if (status == HOST_OK)
		status = path_join(folder, "truth.json", path);
	if (status != HOST_OK)
		return status;
	bool ok = true;
	json_t *root = json_object();
	put_marks(root, b, &ok);
	put_residual(root, residual, config->errors.gain_percent, &ok);
	put_reentries(root, config, seen, &ok);
	put_origin(root, config, &ok);
	status = root && ok ? json_file_write(path, root) : host_fail_memory("truth.json");
	json_decref(root);
	return status;
}
