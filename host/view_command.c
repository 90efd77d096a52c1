/* SPDX-License-Identifier: Apache-2.0
 * `enamel view`: models from files, or a scan that is replayed first. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "deviation.h"
#include "device_choice.h"
#include "interrupt.h"
#include "marks_file.h"
#include "options.h"
#include "replay.h"
#include "view.h"

static const char about[] =
	"Shows a model (.ply, .stl, .obj), or two, such as both jaws; or replays a dataset or recording and shows what comes of it.\n"
	"Measures distances, angles, paths and sections; marks are kept in MODEL.marks.json. H or F1 in the window shows the keys.";

static const char *const shades[] = {"clay", "color", "views", "normal", "quality", "incidence", "flags", "deviation", NULL};

typedef struct view_command {
	const char *files[MARKS_MODELS_MAX];
	size_t count;
	const char *screenshot, *marks, *device, *compare;
	double exit_after_s, mm_per_unit;
	uint32_t size[2];
	int shade;
	bool list, json, orthographic, light;
} view_command;

static bool is_scan(const char *path)
{
	return file_is_folder(path) || path_has_extension(path, ".enmrec");
}

static host_status check(const view_command *c)
{
	if (c->json && !c->list)
		return host_fail(HOST_USAGE, "--json: wanted only with --list");
	if (c->screenshot && !path_has_extension(c->screenshot, ".png"))
		return host_fail(HOST_USAGE, "--screenshot: '%s' does not end in .png", c->screenshot);
	for (size_t i = 0; i < c->count; i++)
		if (!file_exists(c->files[i]))
			return host_fail_file(HOST_USAGE, c->files[i], "no such file or folder");
	if (c->count > 1 && (is_scan(c->files[0]) || is_scan(c->files[1])))
		return host_fail(HOST_USAGE, "two models are two mesh files: a scan is looked at alone");
	if (c->compare && (c->count > 1 || is_scan(c->files[0])))
		return host_fail(HOST_USAGE, "--compare: wanted only with one mesh file");
	if (c->shade == ENM_SHADE_DEVIATION && !c->compare)
		return host_fail(HOST_USAGE, "--shade deviation: from what? (wanted --compare FILE)");
	if (!c->list && !view_is_built())
		return host_fail(HOST_USAGE, "this enamel was built without the viewer; --list works without");
	return c->screenshot && !c->list ? file_check_output(c->screenshot) : HOST_OK;
}

static view_options options_of(const view_command *c, const enm_shade *shade)
{
	return (view_options){
		.stop = interrupt_watch(),
		.close_after_s = c->exit_after_s,
		.screenshot = c->screenshot,
		.option = "view",
		.size = {c->size[0], c->size[1]},
		.orthographic = c->orthographic,
		.light = c->light,
		.shade = c->shade < 0 ? NULL : shade,
		.marks = c->marks,
		.only = true,
	};
}

/* ---- a scan ---- */

static host_status show_scan(const view_command *c)
{
	const enm_shade shade = (enm_shade)c->shade;
	const view_options look = options_of(c, &shade);
	if (c->list) {
		mark_list list;
		if (!c->marks)
			return host_fail(HOST_USAGE, "--list: the marks of a scan have no place of their own (wanted --marks FILE)");
		host_status status = marks_file_read(c->marks, NULL, &list);
		if (!status)
			status = c->json ? marks_print_json(NULL, &list, stdout) : marks_print(&list, stdout);
		free(list.entries);
		return status;
	}
	const replay_options o = {.folder = c->files[0], .device = c->device, .frames = {0, INT64_MAX}, .tracker = -1, .refine = -1, .view = true, .look = &look};
	return replay_run(&o);
}

/* ---- models ---- */

typedef struct loaded {
	enm_mesh *meshes[MARKS_MODELS_MAX];
	view_model models[MARKS_MODELS_MAX];
	marks_models known;
	float *deviation_um; /* of the first */
	bool color;
} loaded;

static host_status compare(const view_command *c, size_t vertices, loaded *out)
{
	host_status status = deviation_measure(c->files[0], c->compare, c->mm_per_unit, vertices, interrupt_watch(), &out->deviation_um);
	out->models[0].deviation_um = out->deviation_um;
	return status;
}

static host_status load(const view_command *c, loaded *out)
{
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < c->count; i++) {
		enm_mesh_data data;
		enm_result result = enm_mesh_load(c->files[i], c->mm_per_unit, &out->meshes[i]);
		if (result >= 0)
			result = enm_mesh_get(out->meshes[i], &data);
		if (result < 0)
			return host_fail_result(result, enm_last_error());
		if (!data.triangle_count)
			return host_fail_file(HOST_USAGE, c->files[i], "has no triangles to be shown");
		out->color = out->color || data.colors_rgb;
		out->models[i] = (view_model){.file = c->files[i], .mesh = out->meshes[i]};
		status = marks_models_add(&out->known, c->files[i], out->meshes[i]);
		if (!status && c->compare && !c->list)
			status = compare(c, data.vertex_count, out);
	}
	return status;
}

static host_status list_marks(const view_command *c, const char *path, const loaded *l)
{
	mark_list list;
	host_status status = marks_file_read(path, &l->known, &list);
	if (!status)
		status = c->json ? marks_print_json(&l->known, &list, stdout) : marks_print(&list, stdout);
	free(list.entries);
	return status;
}

static host_status show(const view_command *c, const char *marks, const loaded *l)
{
	const enm_shade shade = (enm_shade)c->shade;
	view_options o = options_of(c, &shade);
	enm_context_def def = enm_context_def_default();
	char reason[320];
	o.color = l->color;
	o.marks = marks;
	host_status status = device_wish(c->device, &def, reason);
	if (!status)
		status = host_fail_result(enm_context_create(&def, &o.context), enm_last_error());
	if (!status)
		status = view_models(&o, l->models, c->count);
	enm_context_destroy(&o.context);
	return status;
}

static host_status show_models(const view_command *c)
{
	char beside[FILE_PATH_MAX];
	loaded l = {0};
	host_status status = load(c, &l);
	if (!status)
		status = marks_file_beside(c->files[0], beside);
	if (!status) {
		const char *marks = c->marks ? c->marks : beside;
		status = c->list ? list_marks(c, marks, &l) : show(c, marks, &l);
	}
	for (size_t i = 0; i < c->count; i++)
		enm_mesh_destroy(&l.meshes[i]);
	free(l.deviation_um);
	return status;
}

int command_view(int argc, char **argv)
{
	view_command c = {.shade = -1, .mm_per_unit = 1.0};
	option_def table[] = {
		{"screenshot", OPTION_TEXT, &c.screenshot, 0, 0, "FILE", "a PNG of the window when it closes", NULL, false},
		{"exit-after", OPTION_NUMBER, &c.exit_after_s, 0.01, 1e6, "S", "close the window by itself, with a full picture", NULL,
			false},
		{"shade", OPTION_CHOICE, &c.shade, 0, 0, "NAME",
			"clay, color, views, normal, quality (noise), incidence, flags, deviation; default: color where there is some", shades, false},
		{"compare", OPTION_TEXT, &c.compare, 0, 0, "FILE", "a second mesh, which this one deviates from as both lie; begins with --shade deviation", NULL, false},
		{"size", OPTION_SIZE, c.size, 1, 8192, "WxH", "of the window", NULL, false},
		{"orthographic", OPTION_FLAG, &c.orthographic, 0, 0, NULL, "begin without perspective", NULL, false},
		{"light", OPTION_FLAG, &c.light, 0, 0, NULL, "colours for a light room", NULL, false},
		{"marks", OPTION_TEXT, &c.marks, 0, 0, "FILE", "marks are here, instead of MODEL.marks.json", NULL, false},
		{"list", OPTION_FLAG, &c.list, 0, 0, NULL, "print the marks and open no window", NULL, false},
		{"json", OPTION_FLAG, &c.json, 0, 0, NULL, "with --list: as JSON", NULL, false},
		{"mm-per-unit", OPTION_NUMBER, &c.mm_per_unit, 1e-6, 1e6, "N", "of the files: 1 for millimetres (default), 1000 for metres",
			NULL, false},
		{"device", OPTION_TEXT, &c.device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name", NULL, false},
	};
	options_def def = {"MODEL [MODEL2] [options]", about, table, sizeof table / sizeof *table, 1, MARKS_MODELS_MAX};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	c.shade = c.shade < 0 && c.compare ? (int)ENM_SHADE_DEVIATION : c.shade;
	c.count = parsed.positional_count;
	for (size_t i = 0; i < c.count; i++)
		c.files[i] = parsed.positional[i];
	if (!status)
		status = check(&c);
	if (!status)
		status = is_scan(c.files[0]) ? show_scan(&c) : show_models(&c);
	return status ? host_report_failure(status) : HOST_OK;
}
