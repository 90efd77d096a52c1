/* SPDX-License-Identifier: Apache-2.0
 * The table of options. It holds offsets, so that it can be constant; config_options_fill turns them into addresses. */
#include <assert.h>
#include <stddef.h>

#include "config_options.h"

static const char *const PATHS[] = {"passes", "wave", "halves", "occlusal", "lingual", "buccal", NULL};
static const char *const REENTRIES[] = {"along", "scanned", "other-jaw", "mirrored", "opposite", NULL};
static const char *const AXES[] = {"auto", "x", "y", "z", "-x", "-y", "-z", NULL};

typedef struct option_row {
	const char *name;
	option_kind kind;
	size_t offset; /* in option_values */
	double min, max;
	const char *value, *help;
	const char *const *choices;
} option_row;

#define AT(field) offsetof(option_values, field)
#define NUMBER(name, field, min, max, value, help)                                                                     \
	{                                                                                                              \
		name, OPTION_NUMBER, AT(field), min, max, value, help, NULL                                            \
	}
#define INTEGER(name, field, min, max, value, help)                                                                    \
	{                                                                                                              \
		name, OPTION_INTEGER, AT(field), min, max, value, help, NULL                                           \
	}
#define SIZE(name, field, min, max, value, help)                                                                       \
	{                                                                                                              \
		name, OPTION_SIZE, AT(field), min, max, value, help, NULL                                              \
	}
#define FLAG(name, field, help)                                                                                        \
	{                                                                                                              \
		name, OPTION_FLAG, AT(field), 0, 0, NULL, help, NULL                                                   \
	}
#define CHOICE(name, field, value, help, choices)                                                                      \
	{                                                                                                              \
		name, OPTION_CHOICE, AT(field), 0, 0, value, help, choices                                             \
	}

/* --help shows them in this order. */
/* clang-format off */
static const option_row ROWS[] = {
	CHOICE("scenario", config.scenario, "NAME",
		"a set of values to start from; options change them", sim_scenarios),
	INTEGER("seed", words.seed, 0, 9007199254740992.0, "N", "same seed, same bytes (default 1)"),
	INTEGER("frames", config.frames_max, 1, 1000000, "N", "stop after this many (default: the whole path)"),
	SIZE("size", words.size, 16, 4096, "WxH", "of the pictures (default 320x240)"),
	NUMBER("focal-px", config.focal_px, 10, 20000, "PX", "focal length (default 0.75 widths)"),
	NUMBER("fps", config.fps, 1, 1000, "HZ", "frames a second (default 30)"),
	FLAG("color", config.color, "write colour pictures too"),
	NUMBER("exposure", config.exposure, 1, 4, "K",
		"brightness of the colour wanders from 1/K to K (default 1)"),
	CHOICE("path", words.path, "NAME", "how the wand goes over the arch", PATHS),
	NUMBER("from-percent", words.from_percent, 0, 99, "P", "begin at this part of the arch (default 0)"),
	NUMBER("to-percent", words.to_percent, 1, 100, "P", "end at this part of the arch (default 100)"),
	NUMBER("speed-mm-s", config.path.speed_mm_s, 0.1, 1000, "V", "mean speed with the jaw in view (default 8)"),
	NUMBER("stand-off-mm", config.path.stand_off_mm, 5, 60, "MM", "distance to the teeth (default 13)"),
	NUMBER("tilt-degrees", config.path.tilt_degrees, 0, 80, "D", "of the side passes (default 50)"),
	NUMBER("wobble", config.path.wobble, 0, 3, "K", "unsteadiness of the hand (default 1)"),
	NUMBER("tremor-mrad", config.path.tremor_mrad, 0, 20, "MRAD", "turns of a hand that trembles, rms, about each axis (default 0)"),
	NUMBER("tremor-hz", config.path.tremor_hz, 0.5, 50, "HZ", "how often it does (default 9)"),
	INTEGER("lift-offs", words.lift_offs, 0, 60, "N", "times the wand leaves and comes back elsewhere"),
	CHOICE("reentry", words.reentry, "NAME", "where it comes back", REENTRIES),
	NUMBER("max-speed-mm-s", config.path.limits.speed_mm_s, 0.1, 10000, "V",
		"limit checked on the path (default 30)"),
	NUMBER("max-acceleration-mm-s2", config.path.limits.acceleration_mm_s2, 1, 1e6, "A", "limit (default 2000)"),
	NUMBER("max-turning-deg-s", config.path.limits.turning_deg_s, 1, 10000, "W", "limit (default 90)"),
	CHOICE("up", words.up, "AXIS", "which way the teeth of a mesh point: x, y, z, or --up=-x and so on", AXES),
	NUMBER("cell-mm", config.cell_mm, 0.08, 1, "MM", "fineness of the built-in arch (default 0.17)"),
	INTEGER("prepared", config.prepared_fdi, 31, 47, "FDI", "grind this tooth of the arch to a stump"),
	FLAG("toothless", config.toothless, "an arch without teeth"),
	FLAG("smooth", config.smooth, "a toothless arch without relief, with vessels in its colour"),
	FLAG("clean", words.clean, "no error terms but those given as options"),
	NUMBER("noise-um", config.errors.noise_um, 0, 1000, "UM", "axial noise at the stand-off (default 20)"),
	FLAG("no-noise", words.no_noise, "no axial noise"),
	NUMBER("correlated-percent", config.errors.correlated_percent, 0, 100, "P",
		"of the noise's variance (default 50)"),
	NUMBER("bow-um", config.errors.bow_um, -1000, 1000, "UM", "quadratic depth residual (default 5)"),
	NUMBER("residual-um", config.errors.residual_um, 0, 1000, "UM",
		"size of the residual's other terms (default 5)"),
	INTEGER("scanner-seed", words.scanner_seed, 0, 9007199254740992.0, "N", "of those other terms: scans with the same are by one scanner (default: --seed)"),
	FLAG("no-residual", words.no_residual, "neither bow nor the other terms"),
	NUMBER("gain-percent", config.errors.gain_percent, -10, 10, "P", "error of scale (default 0.05)"),
	FLAG("no-gain", words.no_gain, "no error of scale"),
	NUMBER("dropout-percent", config.errors.dropout_percent, 0, 100, "P", "readings lost in clumps (default 1)"),
	FLAG("no-dropout", words.no_dropout, "no readings lost by chance"),
	NUMBER("grazing-degrees", config.errors.grazing_degrees, 0, 90, "D",
		"incidence at which half are lost (default 70; 90: off)"),
	FLAG("no-grazing", words.no_grazing, "no loss at grazing incidence"),
	NUMBER("projector-mm", config.errors.projector_mm, 0, 100, "MM",
		"beside the camera, casts shadows (default 5; 0: off)"),
	FLAG("no-shadow", words.no_shadow, "no shadow of the projector"),
	NUMBER("mixed-percent", config.errors.mixed_percent, 0, 100, "P", "of the pixels at steps lost (default 40)"),
	INTEGER("mixed-px", config.errors.mixed_px, 0, 6, "PX",
		"a reading at a step averages this far (default 0: only the pixel before a step is mixed)"),
	FLAG("no-mixed", words.no_mixed, "no mixed pixels at all"),
	NUMBER("highlight-degrees", config.errors.highlight_degrees, 0, 45, "D",
		"half angle of blind cores (default 2.5; 0: off)"),
	NUMBER("highlight-um", config.errors.highlight_um, 0, 1000, "UM", "bias of the ring around (default 40)"),
	FLAG("no-highlights", words.no_highlights, "no highlights"),
	NUMBER("saliva-um", config.errors.saliva_um, 0, 1000, "UM", "film in the grooves (default 0)"),
	NUMBER("foreign-percent", config.errors.foreign_percent, 0, 90, "P",
		"of the time with a foreign body (default 0)"),
	NUMBER("foreign-speed-mm-s", config.errors.foreign_speed_mm_s, 5, 40, "V", "of it, at most (default 25)"),
	FLAG("foreign-rests", config.errors.foreign_rests, "it comes in from outside the view, and may stay for a while"),
	NUMBER("near-mm", config.errors.near_mm, 0.1, 60, "MM", "no reading nearer (default 3)"),
	NUMBER("far-mm", config.errors.far_mm, 1, 65, "MM", "no reading farther (default 27)"),
	NUMBER("row-time-us", config.row_time_us, 0, 10000, "US", "between two rows' exposures (default 0)"),
	NUMBER("missing-percent", config.timing.missing_percent, 0, 90, "P", "of the frames missing (default 0)"),
	INTEGER("bursts", config.timing.bursts, 0, 100, "N", "gaps of 0.2 to 2 s (default 0)"),
	NUMBER("jitter-ms", config.timing.jitter_ms, 0, 100, "MS", "of the frames' moments (default 0)"),
	NUMBER("duplicate-percent", config.timing.duplicate_percent, 0, 50, "P",
		"of the frames listed twice (default 0)"),
	NUMBER("late-percent", config.timing.late_percent, 0, 50, "P",
		"of the frames listed or stamped late (default 0)"),
	FLAG("force", config.force, "replace OUT when it is a dataset"),
	FLAG("json", config.json, "the summary as JSON"),
};
/* clang-format on */

static_assert(sizeof ROWS / sizeof *ROWS == CONFIG_OPTION_COUNT, "the header counts the options");

void config_options_fill(option_values *values, option_def out_options[CONFIG_OPTION_COUNT])
{
	for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
		const option_row *row = &ROWS[i];
		out_options[i] = (option_def){row->name, row->kind, (char *)values + row->offset, row->min, row->max,
			row->value, row->help, row->choices, false};
	}
}
