/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "config_options.h"

enum scenario {
	SCENARIO_NONE = 0,
	SCENARIO_FULL_PASSES,
	SCENARIO_FULL_WAVE,
	SCENARIO_FULL_HALVES,
	SCENARIO_QUADRANT_PREPARATION,
	SCENARIO_TOOTHLESS,
	SCENARIO_LIFT_OFFS,
	SCENARIO_FOREIGN_BODIES,
	SCENARIO_DOUBLE_SPEED,
	SCENARIO_RE_ENTRIES,
	SCENARIO_OTHER_JAW,
	SCENARIO_MIRRORED_ARCH,
	SCENARIO_OPPOSITE_SIDE,
	SCENARIO_DOUBLE_SPEED_ROWS,
	SCENARIO_FOREIGN_30,
	SCENARIO_SMOOTH_RIDGE,
	SCENARIO_SMOOTH_RIDGE_COLOR,
	SCENARIO_INTERRUPTIONS,
	SCENARIO_WET
};

const char *const sim_scenarios[] = {"none", "full-passes", "full-wave", "full-halves", "quadrant-preparation",
	"toothless", "lift-offs", "foreign-bodies", "double-speed", "re-entries", "other-jaw", "mirrored-arch",
	"opposite-side", "double-speed-rows", "foreign-30", "smooth-ridge", "smooth-ridge-color", "interruptions",
	"wet", NULL};

#define WRONG_PLACES 4 /* visits to one in a scenario */

/* Scans less than a side, then visits a place that looks alike. */
static void visit_wrong_places(path_def *path, reentry_kind kind)
{
	path->reentry = kind;
	path->lift_offs = WRONG_PLACES + 1; /* the last comes back to where it was left */
	path->from_share = 0.06;
	path->to_share = 0.36;
}

/* What a scenario changes some of. */
static sim_config start_values(int scenario)
{
	sim_config c = {.seed = 1,
		.size = {320, 240},
		.fps = 30,
		.cell_mm = 0.17,
		.exposure = 1,
		.scenario = scenario,
		.errors = error_def_default()};
	c.path = (path_def){.kind = PATH_PASSES,
		.stand_off_mm = 13,
		.tilt_degrees = 50,
		.speed_mm_s = 8,
		.from_share = 0,
		.to_share = 1,
		.wobble = 1,
		.tremor_hz = 9,
		.limits = {30, 2000, 90}};
	return c;
}

sim_config config_of_scenario(int scenario)
{
	sim_config c = start_values(scenario);
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
	case SCENARIO_RE_ENTRIES:
		c.path.reentry = REENTRY_SCANNED;
		c.path.lift_offs = 10;
		break;
	case SCENARIO_OTHER_JAW:
		visit_wrong_places(&c.path, REENTRY_OTHER_JAW);
		break;
	case SCENARIO_MIRRORED_ARCH:
		visit_wrong_places(&c.path, REENTRY_MIRRORED);
		break;
	case SCENARIO_OPPOSITE_SIDE:
		visit_wrong_places(&c.path, REENTRY_OPPOSITE);
		break;
	case SCENARIO_DOUBLE_SPEED_ROWS:
		c.path.speed_mm_s = 16;
		c.row_time_us = 69.4; /* 240 rows in half the time of a frame */
		break;
	case SCENARIO_FOREIGN_30:
		c.errors.foreign_percent = 30;
		c.errors.foreign_speed_mm_s = 40;
		c.errors.foreign_rests = true;
		break;
	case SCENARIO_SMOOTH_RIDGE_COLOR:
		c.color = true;
		c.exposure = 1.4;
		c.toothless = c.smooth = true;
		break;
	case SCENARIO_SMOOTH_RIDGE:
		c.toothless = c.smooth = true;
		break;
	case SCENARIO_INTERRUPTIONS:
		c.timing = (timing_def){
			.missing_percent = 2, .bursts = 6, .jitter_ms = 2, .duplicate_percent = 4, .late_percent = 4};
		break;
	case SCENARIO_WET:
		c.prepared_fdi = 36;
		c.path.from_share = 0.2;
		c.path.to_share = 0.5;
		c.path.speed_mm_s = 6;
		c.errors.saliva_um = 200;
		c.errors.highlight_degrees = 5;
		c.errors.highlight_um = 100;
		c.errors.mixed_px = 2;
		break;
	default:
		break;
	}
	return c;
}

static option_words words_of(const sim_config *c)
{
	option_words w = {.path = (int)c->path.kind,
		.reentry = (int)c->path.reentry,
		.seed = (int64_t)c->seed,
		.scanner_seed = -1,
		.lift_offs = c->path.lift_offs,
		.from_percent = c->path.from_share * 100,
		.to_percent = c->path.to_share * 100};
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
	static const char *const PAIRS[][2] = {{"noise-um", "no-noise"}, {"bow-um", "no-residual"},
		{"residual-um", "no-residual"}, {"gain-percent", "no-gain"}, {"dropout-percent", "no-dropout"},
		{"grazing-degrees", "no-grazing"}, {"projector-mm", "no-shadow"}, {"mixed-percent", "no-mixed"},
		{"mixed-px", "no-mixed"}, {"highlight-degrees", "no-highlights"}};
	for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
		if (given(def, PAIRS[i][0]) && given(def, PAIRS[i][1]))
			return host_fail(
				HOST_USAGE, "--%s: cannot be given together with --%s", PAIRS[i][0], PAIRS[i][1]);
	return HOST_OK;
}

static void apply_words(const option_words *w, sim_config *c)
{
	static const v3 UPS[] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}};
	error_def *e = &c->errors;
	c->path.kind = (path_kind)w->path;
	c->path.reentry = (reentry_kind)w->reentry;
	c->seed = (uint64_t)w->seed;
	c->path.seed = c->seed;
	c->scanner_seed = w->scanner_seed < 0 ? c->seed : (uint64_t)w->scanner_seed;
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
	e->mixed_px = w->no_mixed ? 0 : e->mixed_px;
	e->highlight_degrees = w->no_highlights ? 0 : e->highlight_degrees;
}

static host_status check_lift_offs(const options_def *def, const sim_config *c, bool arch)
{
	const path_def *path = &c->path;
	if (path->lift_offs && path->kind == PATH_WAVE && path->reentry == REENTRY_ALONG)
		return host_fail(HOST_USAGE, "--lift-offs: --path wave has none along its way (--reentry scanned has)");
	if (given(def, "reentry") && !path->lift_offs)
		return host_fail(HOST_USAGE, "--reentry: needs --lift-offs");
	if (path_goes_wrong(path->reentry) && path->lift_offs < 2)
		return host_fail(
			HOST_USAGE, "--lift-offs: at least 2, of which the last comes back to what was scanned");
	if ((path->reentry == REENTRY_OTHER_JAW || path->reentry == REENTRY_MIRRORED) && !arch)
		return host_fail(
			HOST_USAGE, "--reentry: another body is there for the built-in arch only, not for %s", c->body);
	if (path->reentry == REENTRY_OPPOSITE && !(path->to_share <= 0.4 || path->from_share >= 0.6))
		return host_fail(HOST_USAGE,
			"--reentry: for the opposite side the scan must end by 40 %% of the arch or begin at 60 %%");
	return HOST_OK;
}

static host_status check(const options_def *def, const sim_config *c, const option_words *w)
{
	bool arch = !strcmp(c->body, "arch"), phantom = !strcmp(c->body, "phantom");
	if (!(c->path.from_share < c->path.to_share))
		return host_fail(HOST_USAGE, "--from-percent: must be below --to-percent (%g)", w->to_percent);
	if (!(c->errors.near_mm < c->errors.far_mm))
		return host_fail(HOST_USAGE, "--near-mm: must be below --far-mm (%g)", c->errors.far_mm);
	if (c->row_time_us * 1e-6 * c->size[1] > 1 / c->fps)
		return host_fail(HOST_USAGE, "--row-time-us: %u rows take longer than a frame at %g a second",
			c->size[1], c->fps);
	if (c->timing.jitter_ms * 4 > 1000 / c->fps)
		return host_fail(HOST_USAGE, "--jitter-ms: more than a quarter of the time between frames");
	host_status status = check_lift_offs(def, c, arch);
	if (status != HOST_OK)
		return status;
	if (c->prepared_fdi && (c->prepared_fdi % 10 < 1 || c->prepared_fdi % 10 > 7))
		return host_fail(HOST_USAGE, "--prepared: %d is no tooth of the arch (31 to 37, 41 to 47)",
			(int)c->prepared_fdi);
	if (c->prepared_fdi && c->toothless)
		return host_fail(HOST_USAGE, "--prepared: a toothless arch has no tooth to prepare");
	if (c->smooth && !c->toothless)
		return host_fail(HOST_USAGE, "--smooth: is for a toothless arch (--toothless)");
	if (c->exposure > 1 && !c->color)
		return host_fail(HOST_USAGE, "--exposure: needs --color");
	if (!arch && (c->prepared_fdi || c->toothless) && !given(def, "prepared") && !given(def, "toothless"))
		return host_fail(HOST_USAGE, "--scenario: %s is for the built-in arch, not for %s",
			sim_scenarios[c->scenario], c->body);
	if (!arch && (given(def, "prepared") || given(def, "toothless") || given(def, "cell-mm")))
		return host_fail(HOST_USAGE,
			"--prepared, --toothless and --cell-mm are for the built-in arch, not for %s", c->body);
	if ((arch || phantom) && w->up)
		return host_fail(HOST_USAGE, "--up: is for mesh files, not for %s", c->body);
	if (phantom && c->errors.saliva_um > 0)
		return host_fail(HOST_USAGE, "--saliva-um: the phantom is dry");
	return HOST_OK;
}

static const char ABOUT[] =
	"Simulates a scan: walks a camera over a jaw and writes the frames that a scanner would give, with the\n"
	"true path and surface. MESH is a PLY, STL or OBJ file in mm; arch (the default) is a built-in lower\n"
	"arch; phantom is a body of exact spheres. OUT is a folder that appears whole or not at all.\n"
	"Scenarios: full-passes, full-wave, full-halves, quadrant-preparation, toothless, lift-offs,\n"
	"foreign-bodies, double-speed, re-entries, other-jaw, mirrored-arch, opposite-side,\n"
	"double-speed-rows, foreign-30, smooth-ridge, smooth-ridge-color, interruptions, wet.\n"
	"Paths: passes, wave, halves, occlusal, lingual, buccal. Re-entries: along (the same pass), scanned\n"
	"(anywhere on what was scanned), and, for wrong places, other-jaw, mirrored, opposite; of these the\n"
	"last lift-off comes back to where the scan was left.";

host_status config_parse(int argc, char **argv, sim_config *out)
{
	option_values v = {.config = config_of_scenario(SCENARIO_NONE)};
	option_def options[CONFIG_OPTION_COUNT];
	options_def def = {.usage = "[MESH|arch|phantom] OUT [options]",
		.about = ABOUT,
		.options = options,
		.option_count = CONFIG_OPTION_COUNT,
		.positional_min = 1,
		.positional_max = 2};
	options_result found;
	*out = v.config;
	v.words = words_of(&v.config);
	config_options_fill(&v, options);
	host_status status = options_parse(&def, argc, argv, &found);
	if (status != HOST_OK)
		return status;
	if (found.help) {
		options_print_help(&def, stdout);
		out->help = true;
		return HOST_OK;
	}
	/* once more, on top of the scenario and --clean, which therefore count wherever they stand */
	bool clean = v.words.clean;
	v.config = config_of_scenario(v.config.scenario);
	v.words = words_of(&v.config);
	if (clean)
		v.config.errors = error_def_clean();
	status = options_parse(&def, argc, argv, &found);
	if (status == HOST_OK)
		status = check_pairs(&def);
	if (status != HOST_OK)
		return status;
	v.config.body = found.positional_count == 2 ? found.positional[0] : "arch";
	v.config.out = found.positional[found.positional_count - 1];
	apply_words(&v.words, &v.config);
	*out = v.config;
	return check(&def, out, &v.words);
}
