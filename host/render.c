/* SPDX-License-Identifier: Apache-2.0
 * `enamel render`: options, checks, and what draws. */
#include "render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "deviation.h"
#include "device_choice.h"
#include "file.h"
#include "interrupt.h"
#include "options.h"
#include "replay.h"

static const char about[] =
	"Makes a picture of a model as PNG: of a mesh file (.ply, .stl, .obj; only a .ply of 'enamel replay' has views and\n"
	"quality), or of a dataset or recording, which is stitched first. Legends and maps are the viewer's.\n"
	"Which way is up, front and right is found by the spread of the surface: up is the side to which it faces along its\n"
	"least spread (occlusal, of a jaw), front where a horseshoe is closed. --up tells it for bodies of which that is\n"
	"not so, such as casts with a base. Left and right are those of a lower jaw's owner, or, with --upper, an upper one's.";

static const char *const views[] = {"occlusal", "front", "buccal-left", "buccal-right", "lingual", NULL}; /* as preview_side */
static const char *const shades[] = {"clay", "color", "views", "normal", "quality", "incidence", "flags", "deviation", NULL}; /* as enm_shade */
static const char *const ups[] = {"x", "y", "z", "-x", "-y", "-z", NULL};

static bool is_mesh_file(const char *path)
{
	return path_has_extension(path, ".ply") || path_has_extension(path, ".stl") || path_has_extension(path, ".obj");
}

/* "left:3.5" and the like. */
static host_status read_cut(const char *text, render_cut *out)
{
	static const struct {
		const char *name;
		int axis;
		double sign;
	} sides[] = {{"right", 0, 1}, {"left", 0, -1}, {"front", 1, 1}, {"back", 1, -1}, {"up", 2, 1}, {"down", 2, -1}};
	const char *colon = strchr(text, ':');
	char *end = NULL;
	for (size_t i = 0; colon && i < sizeof sides / sizeof *sides; i++) {
		const size_t length = (size_t)(colon - text);
		if (strlen(sides[i].name) != length || strncmp(text, sides[i].name, length) != 0)
			continue;
		*out = (render_cut){true, sides[i].axis, sides[i].sign, strtod(colon + 1, &end)};
		if (end != colon + 1 && !*end && out->at_mm >= -1e6 && out->at_mm <= 1e6)
			return HOST_OK;
	}
	return host_fail(HOST_USAGE, "--cut: '%s' is not SIDE:MM with a side right, left, front, back, up or down and -1e6 to 1e6 mm", text);
}

static host_status read_range(const char *text, double out[2])
{
	char *end = NULL;
	const char *colon = strchr(text, ':');
	if (colon) {
		out[0] = strtod(text, &end);
		const bool first = end == colon && end != text;
		out[1] = strtod(colon + 1, &end);
		if (first && end != colon + 1 && !*end && out[0] >= -1e9 && out[1] <= 1e9 && out[0] < out[1])
			return HOST_OK;
	}
	return host_fail(HOST_USAGE, "--range: '%s' is not LOW:HIGH with LOW below HIGH", text);
}

static host_status check(const render_options *o)
{
	const bool has_map = o->shade == ENM_SHADE_VIEWS || o->shade == ENM_SHADE_QUALITY || o->shade == ENM_SHADE_INCIDENCE || o->shade == ENM_SHADE_DEVIATION;
	if (!o->out)
		return host_fail(HOST_USAGE, "--out: missing (wanted FILE ending in .png)");
	if (!path_has_extension(o->out, ".png"))
		return host_fail(HOST_USAGE, "--out: '%s' does not end in .png", o->out);
	if (o->scale_bar && !o->orthographic)
		return host_fail(HOST_USAGE, "--scale-bar: wanted only with --orthographic: in perspective a millimetre is of no one length");
	if ((o->range[0] != 0.0 || o->range[1] != 0.0) && !has_map)
		return host_fail(HOST_USAGE, "--range: wanted only with --shade views, quality, incidence or deviation");
	if (o->shade == ENM_SHADE_DEVIATION && !o->compare)
		return host_fail(HOST_USAGE, "--shade deviation: from what? (wanted --compare FILE)");
	if (o->compare && !is_mesh_file(o->model))
		return host_fail(HOST_USAGE, "--compare: wanted only for mesh files");
	if (o->camera && is_mesh_file(o->model))
		return host_fail(HOST_USAGE, "--camera: wanted only for datasets");
	return file_check_output(o->out);
}

/* ---- what draws ---- */

static enm_result draw_session(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	return enm_session_render(object, def, out_rgba, out_bytes);
}

static enm_result draw_drawing(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	return enm_drawing_render(object, def, out_rgba, out_bytes);
}

host_status render_session(const render_options *o, enm_session *session, const enm_mesh_data *mesh)
{
	const render_source source = {draw_session, session};
	return render_write(o, &source, mesh);
}

static host_status open_context(const char *device, enm_context **out)
{
	enm_context_def def = enm_context_def_default();
	char reason[320];
	host_status status = device_wish(device, &def, reason);
	if (status)
		return status;
	return host_fail_result(enm_context_create(&def, out), enm_last_error());
}

static host_status add_deviation(const render_options *o, enm_drawing *drawing, uint32_t id, size_t vertices)
{
	float *um;
	host_status status = deviation_measure(o->model, o->compare, 1.0, vertices, interrupt_watch(), &um);
	if (!status)
		status = host_fail_result(enm_drawing_set_deviation(drawing, id, um, vertices), enm_last_error());
	free(um);
	return status;
}

static host_status draw_mesh(const render_options *o, enm_context *context, const enm_mesh *mesh)
{
	enm_drawing *drawing = NULL;
	enm_mesh_data data;
	uint32_t id;
	bool has = false;
	enm_result result = enm_mesh_get(mesh, &data);
	if (result >= 0)
		result = enm_drawing_create(context, 0, &drawing);
	if (result >= 0)
		result = enm_drawing_add(drawing, mesh, NULL, &id);
	host_status status = host_fail_result(result, enm_last_error());
	if (!status && o->compare)
		status = add_deviation(o, drawing, id, data.vertex_count);
	if (!status)
		status = host_fail_result(enm_drawing_has(drawing, id, o->shade, &has), enm_last_error());
	if (!status && !has)
		status = host_fail_file(HOST_USAGE, o->model, "has no values for --shade %s", shades[o->shade]);
	const render_source source = {draw_drawing, drawing};
	if (!status)
		status = render_write(o, &source, &data);
	enm_drawing_destroy(&drawing);
	return status;
}

static host_status render_mesh_file(const render_options *o)
{
	enm_context *context = NULL;
	enm_mesh *mesh = NULL;
	enm_result result = enm_mesh_load(o->model, 1.0, &mesh);
	host_status status = host_fail_result(result, enm_last_error());
	if (result == ENM_E_IO)
		status = host_fail(HOST_USAGE, "%s", enm_last_error()); /* what cannot be read is wrong usage */
	if (!status)
		status = open_context(o->device, &context);
	if (!status)
		status = draw_mesh(o, context, mesh);
	enm_mesh_destroy(&mesh);
	enm_context_destroy(&context);
	return status;
}

static host_status run(const render_options *o)
{
	if (is_mesh_file(o->model))
		return render_mesh_file(o);
	const replay_options replay = {
		.folder = o->model, .device = o->device, .camera = o->camera, .frames = {0, INT64_MAX}, .tracker = -1, .refine = -1, .render = o};
	return replay_run(&replay);
}

int command_render(int argc, char **argv)
{
	render_options o = {.size = {1280, 960}};
	const char *cut = NULL, *range = NULL;
	int view = 0, shade = -1, up = -1;
	bool no_legend = false;
	option_def table[] = {
		{"out", OPTION_TEXT, &o.out, 0, 0, "FILE", "the picture: .png", NULL, false},
		{"view", OPTION_CHOICE, &view, 0, 0, "NAME", "occlusal (default), front, buccal-left, buccal-right, lingual", views, false},
		{"shade", OPTION_CHOICE, &shade, 0, 0, "NAME", "clay (default), color, views, normal, quality, incidence, flags, deviation (default with --compare)", shades, false},
		{"compare", OPTION_TEXT, &o.compare, 0, 0, "FILE", "a second mesh, which this one deviates from as both lie", NULL, false},
		{"size", OPTION_SIZE, o.size, 16, 8192, "WxH", "pixels (1280x960)", NULL, false},
		{"orthographic", OPTION_FLAG, &o.orthographic, 0, 0, NULL, "without perspective", NULL, false},
		{"scale-bar", OPTION_FLAG, &o.scale_bar, 0, 0, NULL, "with --orthographic: a bar of some millimetres", NULL, false},
		{"no-legend", OPTION_FLAG, &no_legend, 0, 0, NULL, "leave out what the colours mean", NULL, false},
		{"range", OPTION_TEXT, &range, 0, 0, "LOW:HIGH", "what the ends of the map stand for (views 1:30, quality 0:20, incidence 0:90, deviation -100:100)", NULL, false},
		{"cut", OPTION_TEXT, &cut, 0, 0, "SIDE:MM", "leave out what is farther than MM to a side of the middle: right, left, front, back, up, down", NULL, false},
		{"up", OPTION_CHOICE, &up, 0, 0, "AXIS", "which way is up: x, y, z, or as --up=-z: -x, -y, -z", ups, false},
		{"upper", OPTION_FLAG, &o.upper, 0, 0, NULL, "an upper jaw: names left and right the other way about", NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name", NULL, false},
		{"camera", OPTION_TEXT, &o.camera, 0, 0, "FILE", "this camera.json instead of the dataset's", NULL, false},
	};
	options_def def = {"MODEL --out FILE [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.model = parsed.positional[0];
	o.side = (preview_side)view;
	o.shade = shade >= 0 ? (enm_shade)shade : o.compare ? ENM_SHADE_DEVIATION : ENM_SHADE_CLAY;
	o.legend = !no_legend;
	if (up >= 0)
		o.up[up % 3] = up < 3 ? 1.0 : -1.0;
	if (!status && cut)
		status = read_cut(cut, &o.cut);
	if (!status && range)
		status = read_range(range, o.range);
	if (!status)
		status = check(&o);
	if (!status)
		status = run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
