/* SPDX-License-Identifier: Apache-2.0
 * enamel-simulate, which `enamel simulate` starts. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "progress.h"
#include "scan.h"

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
	(void)number;
	stop_wanted = 1;
}

static void catch_signals(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static host_status print_json(const sim_config *c, const scan_summary *s)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "out", json_foreign(c->out), &ok);
	json_put(root, "body", json_foreign(c->body), &ok);
	json_put(root, "scenario", json_string(sim_scenarios[c->scenario]), &ok);
	json_put(root, "seed", json_integer((json_int_t)c->seed), &ok);
	json_put(root, "frames", json_integer((json_int_t)s->frames), &ok);
	json_put(root, "frames_missing", json_integer((json_int_t)s->missing), &ok);
	json_put(root, "frames_listed_twice", json_integer((json_int_t)s->duplicates), &ok);
	json_put(root, "frames_late", json_integer((json_int_t)s->late), &ok);
	json_put(root, "reentries", json_integer((json_int_t)s->reentries), &ok);
	json_put(root, "duration_s", json_finite(s->duration_s), &ok);
	json_put(root, "readings_percent", json_finite(s->readings_percent), &ok);
	json_put(root, "foreign_frames_percent", json_finite(s->foreign_frames_percent), &ok);
	json_put(root, "path_length_mm", json_finite(s->length_mm), &ok);
	json_put(root, "mean_speed_mm_s", json_finite(s->mean_speed_mm_s), &ok);
	json_put(root, "peak_speed_mm_s", json_finite(s->peaks.speed_mm_s), &ok);
	json_put(root, "peak_acceleration_mm_s2", json_finite(s->peaks.acceleration_mm_s2), &ok);
	json_put(root, "peak_turning_deg_s", json_finite(s->peaks.turning_deg_s), &ok);
	json_put(root, "triangles", json_integer((json_int_t)s->triangles), &ok);
	json_put(root, "triangles_without_area", json_integer((json_int_t)s->skipped_triangles), &ok);
	json_put(root, "spheres", json_integer((json_int_t)s->spheres), &ok);
	json_put(root, "landmarks", json_integer((json_int_t)s->landmarks), &ok);
	json_put(root, "margin_points", json_integer((json_int_t)s->margin_points), &ok);
	json_put(root, "up", json_numbers((const double[3]){s->up.x, s->up.y, s->up.z}, 3), &ok);
	json_put(root, "prepare_s", json_finite(s->prepare_s), &ok);
	json_put(root, "frames_s", json_finite(s->frames_s), &ok);
	host_status status = root && ok ? json_print(root, stdout) : host_fail_memory("the summary");
	json_decref(root);
	return status;
}

static void print_text(const sim_config *c, const scan_summary *s)
{
	printf("%s: %zu frames of %ux%u over %.1f s (seed %llu)\n", c->out, s->frames, c->size[0], c->size[1],
		s->duration_s, (unsigned long long)c->seed);
	printf("  surface   %zu triangles%s, %zu landmarks, %zu margin points, up %.2f %.2f %.2f\n", s->triangles,
		s->spheres ? " beside exact spheres" : "", s->landmarks, s->margin_points, s->up.x, s->up.y, s->up.z);
	printf("  path      %.0f mm in all, %.1f mm/s on average; peaks %.1f mm/s, %.0f mm/s2, %.1f degrees/s\n",
		s->length_mm, s->mean_speed_mm_s, s->peaks.speed_mm_s, s->peaks.acceleration_mm_s2,
		s->peaks.turning_deg_s);
	printf("  readings  %.1f %% of the pixels; %zu frames missing; a foreign body in %.0f %% of the frames\n",
		s->readings_percent, s->missing, s->foreign_frames_percent);
	if (s->duplicates || s->late)
		printf("  lists     %zu frames twice, %zu late\n", s->duplicates, s->late);
	if (s->reentries)
		printf("  lift-offs after %zu of them the wand came back\n", s->reentries);
	printf("  time      %.1f s for surface and path, %.1f s for the frames\n", s->prepare_s, s->frames_s);
	if (s->skipped_triangles)
		printf("  note      %zu triangles of the file have no area and were left out\n", s->skipped_triangles);
	if (c->frames_max && (int64_t)(s->frames + s->missing) < c->frames_max)
		printf("  note      the path ends before %lld frames\n", (long long)c->frames_max);
}

int main(int argc, char **argv)
{
	sim_config config;
	scan_summary summary;
	host_set_program("enamel simulate");
	host_status status = config_parse(argc, argv, &config);
	if (status != HOST_OK)
		return host_report_failure(status);
	if (config.help)
		return HOST_OK;
	catch_signals();
	progress_begin(!config.json);
	status = scan_run(&config, &stop_wanted, &summary);
	progress_end();
	if (status == HOST_OK && config.json)
		status = print_json(&config, &summary);
	else if (status == HOST_OK)
		print_text(&config, &summary);
	return status == HOST_OK ? HOST_OK : host_report_failure(status);
}
