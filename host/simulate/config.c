/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

enum scenario {
	SCENARIO_NONE = 0,
	SCENARIO_FULL_PASSES,
	SCENARIO_FULL_WAVE,
	SCENARIO_FULL_HALVES,
	SCENARIO_QUADRANT_PREPARATION,
	SCENARIO_TOOTHLESS,
	SCENARIO_LIFT_OFFS,
	SCENARIO_FOREIGN_BODIES,
	SCENARIO_DOUBLE_SPEED
};

const char *const sim_scenarios[] = {"none", "full-passes", "full-wave", "full-halves", "quadrant-preparation", "toothless",
	"lift-offs", "foreign-bodies", "double-speed", NULL};

static const char *const PATHS[] = {"passes", "wave", "halves", "occlusal", "lingual", "buccal", NULL};
static const char *const AXES[] = {"auto", "x", "y", "z", "-x", "-y", "-z", NULL};

/* What is given by word or flag and turned into the config afterwards. */
typedef struct words {
	int path, up;
	int64_t seed, lift_offs;
	uint32_t size[2];
	double from_percent, to_percent;
	bool clean, no_noise, no_residual, no_gain, no_dropout, no_grazing, no_shadow, no_mixed, no_highlights;
} words;

sim_config config_of_scenario(int scenario)
{
	sim_config c = {.seed = 1, .size = {320, 240}, .fps = 30, .cell_mm = 0.17, .scenario = scenario,
		.errors = error_def_default()};
	c.path = (path_def){.kind = PATH_PASSES, .stand_off_mm = 13, .tilt_degrees = 50, .speed_mm_s = 8, .from_share = 0,
		.to_share = 1, .wobble = 1, .limits = {30, 2000, 90}};
	switch (scenario) {
	case SCENARIO_FULL_WAVE:
		c.path.kind = PATH_WAVE;
		break;
	case SCENARIO_FULL_HALVES:
		c.path.kind = PATH_HALVES;
		break;
	case SCENARIO_QUADRANT_PREPARATION:
		c.prepared_fdi = 36;
		c.path.to_share = 0.55;
		c.path.speed_mm_s = 6;
		break;
	case SCENARIO_TOOTHLESS:
		c.toothless = true;
		break;
	case SCENARIO_LIFT_OFFS:
		c.path.lift_offs = 5;
		c.timing = (timing_def){.missing_percent = 2, .bursts = 2, .jitter_ms = 2};
		break;
	case SCENARIO_FOREIGN_BODIES:
		c.errors.foreign_percent = 20;
		break;
	case SCENARIO_DOUBLE_SPEED:
		c.path.speed_mm_s = 16;
		break;
	default:
		break;
	}
	return c;
}

/* --help shows the options in this order. `c` and `w` hold the values that stay when an option is not given. */
#define CONFIG_OPTIONS(c, w)                                                                                              \
	{                                                                                                                 \
		{"scenario", OPTION_CHOICE, &(c)->scenario, 0, 0, "NAME", "a set of values to start from; options change them", \
			sim_scenarios, false},                                                                            \
		{"seed", OPTION_INTEGER, &(w)->seed, 0, 9007199254740992.0, "N", "same seed, same bytes (default 1)", NULL, false}, \
		{"frames", OPTION_INTEGER, &(c)->frames_max, 1, 1000000, "N", "stop after this many (default: the whole path)", NULL, false}, \
		{"size", OPTION_SIZE, (w)->size, 16, 4096, "WxH", "of the pictures (default 320x240)", NULL, false},      \
		{"focal-px", OPTION_NUMBER, &(c)->focal_px, 10, 20000, "PX", "focal length (default 0.75 widths)", NULL, false}, \
		{"fps", OPTION_NUMBER, &(c)->fps, 1, 1000, "HZ", "frames a second (default 30)", NULL, false},            \
		{"color", OPTION_FLAG, &(c)->color, 0, 0, NULL, "write colour pictures too", NULL, false},                \
		{"path", OPTION_CHOICE, &(w)->path, 0, 0, "NAME", "how the wand goes over the arch", PATHS, false},        \
		{"from-percent", OPTION_NUMBER, &(w)->from_percent, 0, 99, "P", "begin at this part of the arch (default 0)", NULL, false}, \
		{"to-percent", OPTION_NUMBER, &(w)->to_percent, 1, 100, "P", "end at this part of the arch (default 100)", NULL, false}, \
		{"speed-mm-s", OPTION_NUMBER, &(c)->path.speed_mm_s, 0.1, 1000, "V", "mean speed with the jaw in view (default 8)", NULL, false}, \
		{"stand-off-mm", OPTION_NUMBER, &(c)->path.stand_off_mm, 5, 500, "MM", "distance to the teeth (default 13)", NULL, false}, \
		{"tilt-degrees", OPTION_NUMBER, &(c)->path.tilt_degrees, 0, 80, "D", "of the side passes (default 50)", NULL, false}, \
		{"wobble", OPTION_NUMBER, &(c)->path.wobble, 0, 3, "K", "unsteadiness of the hand (default 1)", NULL, false}, \
		{"lift-offs", OPTION_INTEGER, &(w)->lift_offs, 0, 60, "N", "times the wand leaves and comes back elsewhere", NULL, false}, \
		{"max-speed-mm-s", OPTION_NUMBER, &(c)->path.limits.speed_mm_s, 0.1, 10000, "V", "limit checked on the path (default 30)", NULL, false}, \
		{"max-acceleration-mm-s2", OPTION_NUMBER, &(c)->path.limits.acceleration_mm_s2, 1, 1e6, "A", "limit (default 2000)", NULL, false}, \
		{"max-turning-deg-s", OPTION_NUMBER, &(c)->path.limits.turning_deg_s, 1, 10000, "W", "limit (default 90)", NULL, false}, \
		{"up", OPTION_CHOICE, &(w)->up, 0, 0, "AXIS", "which way the teeth of a mesh point: x, y, z, or --up=-x and so on", AXES, false},         \
		{"cell-mm", OPTION_NUMBER, &(c)->cell_mm, 0.08, 1, "MM", "fineness of the built-in arch (default 0.17)", NULL, false}, \
		{"prepared", OPTION_INTEGER, &(c)->prepared_fdi, 31, 47, "FDI", "grind this tooth of the arch to a stump", NULL, false}, \
		{"toothless", OPTION_FLAG, &(c)->toothless, 0, 0, NULL, "an arch without teeth", NULL, false},             \
		{"clean", OPTION_FLAG, &(w)->clean, 0, 0, NULL, "no error terms but those given as options", NULL, false}, \
		{"noise-um", OPTION_NUMBER, &(c)->errors.noise_um, 0, 1000, "UM", "axial noise at the stand-off (default 20)", NULL, false}, \
		{"no-noise", OPTION_FLAG, &(w)->no_noise, 0, 0, NULL, "none", NULL, false},                                \
		{"correlated-percent", OPTION_NUMBER, &(c)->errors.correlated_percent, 0, 100, "P", "of the noise's variance (default 50)", NULL, false}, \
		{"bow-um", OPTION_NUMBER, &(c)->errors.bow_um, -1000, 1000, "UM", "quadratic depth residual (default 5)", NULL, false}, \
		{"residual-um", OPTION_NUMBER, &(c)->errors.residual_um, 0, 1000, "UM", "size of the residual's other terms (default 5)", NULL, false}, \
		{"no-residual", OPTION_FLAG, &(w)->no_residual, 0, 0, NULL, "neither of the two", NULL, false},            \
		{"gain-percent", OPTION_NUMBER, &(c)->errors.gain_percent, -10, 10, "P", "error of scale (default 0.05)", NULL, false}, \
		{"no-gain", OPTION_FLAG, &(w)->no_gain, 0, 0, NULL, "none", NULL, false},                                  \
		{"dropout-percent", OPTION_NUMBER, &(c)->errors.dropout_percent, 0, 100, "P", "readings lost in clumps (default 1)", NULL, false}, \
		{"no-dropout", OPTION_FLAG, &(w)->no_dropout, 0, 0, NULL, "none", NULL, false},                            \
		{"grazing-degrees", OPTION_NUMBER, &(c)->errors.grazing_degrees, 0, 90, "D", "incidence at which half are lost (default 70; 90: off)", NULL, false}, \
		{"no-grazing", OPTION_FLAG, &(w)->no_grazing, 0, 0, NULL, "no loss at grazing incidence", NULL, false},    \
		{"projector-mm", OPTION_NUMBER, &(c)->errors.projector_mm, 0, 100, "MM", "beside the camera, casts shadows (default 5; 0: off)", NULL, false}, \
		{"no-shadow", OPTION_FLAG, &(w)->no_shadow, 0, 0, NULL, "none", NULL, false},                              \
		{"mixed-percent", OPTION_NUMBER, &(c)->errors.mixed_percent, 0, 100, "P", "of the pixels at steps lost (default 40)", NULL, false}, \
		{"no-mixed", OPTION_FLAG, &(w)->no_mixed, 0, 0, NULL, "no mixed pixels at all", NULL, false},              \
		{"highlight-degrees", OPTION_NUMBER, &(c)->errors.highlight_degrees, 0, 45, "D", "half angle of blind cores (default 2.5; 0: off)", NULL, false}, \
		{"highlight-um", OPTION_NUMBER, &(c)->errors.highlight_um, 0, 1000, "UM", "bias of the ring around (default 40)", NULL, false}, \
		{"no-highlights", OPTION_FLAG, &(w)->no_highlights, 0, 0, NULL, "none", NULL, false},                      \
		{"saliva-um", OPTION_NUMBER, &(c)->errors.saliva_um, 0, 1000, "UM", "film in the grooves (default 0)", NULL, false}, \
		{"foreign-percent", OPTION_NUMBER, &(c)->errors.foreign_percent, 0, 90, "P", "of the time with a foreign body (default 0)", NULL, false}, \
		{"foreign-speed-mm-s", OPTION_NUMBER, &(c)->errors.foreign_speed_mm_s, 5, 40, "V", "of it, at most (default 25)", NULL, false}, \
		{"near-mm", OPTION_NUMBER, &(c)->errors.near_mm, 0.1, 60, "MM", "no reading nearer (default 3)", NULL, false}, \
		{"far-mm", OPTION_NUMBER, &(c)->errors.far_mm, 1, 65, "MM", "no reading farther (default 27)", NULL, false}, \
		{"row-time-us", OPTION_NUMBER, &(c)->row_time_us, 0, 10000, "US", "between two rows' exposures (default 0)", NULL, false}, \
		{"missing-percent", OPTION_NUMBER, &(c)->timing.missing_percent, 0, 90, "P", "of the frames missing (default 0)", NULL, false}, \
		{"bursts", OPTION_INTEGER, &(c)->timing.bursts, 0, 100, "N", "gaps of 0.2 to 2 s (default 0)", NULL, false}, \
		{"jitter-ms", OPTION_NUMBER, &(c)->timing.jitter_ms, 0, 100, "MS", "of the frames' moments (default 0)", NULL, false}, \
		{"force", OPTION_FLAG, &(c)->force, 0, 0, NULL, "replace OUT when it is a dataset", NULL, false},          \
		{"json", OPTION_FLAG, &(c)->json, 0, 0, NULL, "the summary as JSON", NULL, false},                         \
	}

static words words_of(const sim_config *c)
{
	words w = {.path = (int)c->path.kind, .seed = (int64_t)c->seed, .lift_offs = c->path.lift_offs,
		.from_percent = c->path.from_share * 100, .to_percent = c->path.to_share * 100};
	memcpy(w.size, c->size, sizeof w.size);
	return w;
}

static bool given(const options_def *def, const char *name)
{
	for (size_t i = 0; i < def->option_count; i++)
		if (!strcmp(def->options[i].name, name))
			return def->options[i].given;
	return false;
}

/* A term cannot be both set and switched off. */
static host_status check_pairs(const options_def *def)
{
	static const char *const PAIRS[][2] = {{"noise-um", "no-noise"}, {"bow-um", "no-residual"}, {"residual-um", "no-residual"},
		{"gain-percent", "no-gain"}, {"dropout-percent", "no-dropout"}, {"grazing-degrees", "no-grazing"},
		{"projector-mm", "no-shadow"}, {"mixed-percent", "no-mixed"}, {"highlight-degrees", "no-highlights"}};
	for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
		if (given(def, PAIRS[i][0]) && given(def, PAIRS[i][1]))
			return host_fail(HOST_USAGE, "--%s: cannot be given together with --%s", PAIRS[i][0], PAIRS[i][1]);
	return HOST_OK;
}

static void apply_words(const words *w, sim_config *c)
{
	static const v3 UPS[] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}};
	error_def *e = &c->errors;
	c->path.kind = (path_kind)w->path;
	c->seed = (uint64_t)w->seed;
	c->path.seed = c->seed;
	c->path.lift_offs = (int)w->lift_offs;
	c->path.from_share = w->from_percent / 100;
	c->path.to_share = w->to_percent / 100;
	memcpy(c->size, w->size, sizeof c->size);
	c->up = UPS[w->up];
	if (!(c->focal_px > 0))
		c->focal_px = 0.75 * c->size[0];
	e->noise_um = w->no_noise ? 0 : e->noise_um;
	e->bow_um = w->no_residual ? 0 : e->bow_um;
	e->residual_um = w->no_residual ? 0 : e->residual_um;
	e->gain_percent = w->no_gain ? 0 : e->gain_percent;
	e->dropout_percent = w->no_dropout ? 0 : e->dropout_percent;
	e->grazing_degrees = w->no_grazing ? 90 : e->grazing_degrees;
	e->projector_mm = w->no_shadow ? 0 : e->projector_mm;
	e->mixed_percent = w->no_mixed ? -1 : e->mixed_percent;
	e->highlight_degrees = w->no_highlights ? 0 : e->highlight_degrees;
}

static host_status check(const options_def *def, const sim_config *c, const words *w)
{
	bool arch = !strcmp(c->body, "arch"), phantom = !strcmp(c->body, "phantom");
	if (!(c->path.from_share < c->path.to_share))
		return host_fail(HOST_USAGE, "--from-percent: must be below --to-percent (%g)", w->to_percent);
	if (!(c->errors.near_mm < c->errors.far_mm))
		return host_fail(HOST_USAGE, "--near-mm: must be below --far-mm (%g)", c->errors.far_mm);
	if (c->row_time_us * 1e-6 * c->size[1] > 1 / c->fps)
		return host_fail(HOST_USAGE, "--row-time-us: %u rows take longer than a frame at %g a second", c->size[1], c->fps);
	if (c->timing.jitter_ms * 4 > 1000 / c->fps)
		return host_fail(HOST_USAGE, "--jitter-ms: more than a quarter of the time between frames");
	if (c->path.lift_offs && c->path.kind == PATH_WAVE)
		return host_fail(HOST_USAGE, "--lift-offs: --path wave has none");
	if (c->prepared_fdi && (c->prepared_fdi % 10 < 1 || c->prepared_fdi % 10 > 7))
		return host_fail(HOST_USAGE, "--prepared: %d is no tooth of the arch (31 to 37, 41 to 47)", (int)c->prepared_fdi);
	if (c->prepared_fdi && c->toothless)
		return host_fail(HOST_USAGE, "--prepared: a toothless arch has no tooth to prepare");
	if (!arch && (c->prepared_fdi || c->toothless) && !given(def, "prepared") && !given(def, "toothless"))
		return host_fail(HOST_USAGE, "--scenario: %s is for the built-in arch, not for %s", sim_scenarios[c->scenario], c->body);
	if (!arch && (given(def, "prepared") || given(def, "toothless") || given(def, "cell-mm")))
		return host_fail(HOST_USAGE, "--prepared, --toothless and --cell-mm are for the built-in arch, not for %s", c->body);
	if ((arch || phantom) && w->up)
		return host_fail(HOST_USAGE, "--up: is for mesh files, not for %s", c->body);
	if (phantom && c->errors.saliva_um > 0)
		return host_fail(HOST_USAGE, "--saliva-um: the phantom is dry");
	return HOST_OK;
}

host_status config_parse(int argc, char **argv, sim_config *out)
{
	sim_config *c = out;
	*c = config_of_scenario(SCENARIO_NONE);
	words w = words_of(c);
	option_def options[] = CONFIG_OPTIONS(c, &w);
	options_def def = {.usage = "[MESH|arch|phantom] OUT [options]",
		.about = "Simulates a scan: walks a camera over a jaw and writes the frames that a scanner would give, with the\n"
			 "true path and surface. MESH is a PLY, STL or OBJ file in mm; arch (the default) is a built-in lower\n"
			 "arch; phantom is a body of exact spheres. OUT is a folder that appears whole or not at all.\n"
			 "Scenarios: full-passes, full-wave, full-halves, quadrant-preparation, toothless, lift-offs,\n"
			 "foreign-bodies, double-speed. Paths: passes, wave, halves, occlusal, lingual, buccal.",
		.options = options, .option_count = sizeof options / sizeof *options, .positional_min = 1, .positional_max = 2};
	options_result found;
	host_status status = options_parse(&def, argc, argv, &found);
	if (status != HOST_OK)
		return status;
	if (found.help) {
		options_print_help(&def, stdout);
		c->help = true;
		return HOST_OK;
	}
	/* once more, on top of the scenario */
	bool clean = w.clean;
	*c = config_of_scenario(c->scenario);
	w = words_of(c);
	if (clean)
		c->errors = error_def_clean();
	status = options_parse(&def, argc, argv, &found);
	if (status == HOST_OK)
		status = check_pairs(&def);
	if (status != HOST_OK)
		return status;
	c->body = found.positional_count == 2 ? found.positional[0] : "arch";
	c->out = found.positional[found.positional_count - 1];
	apply_words(&w, c);
	return check(&def, c, &w);
}
