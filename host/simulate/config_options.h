/* SPDX-License-Identifier: Apache-2.0
 * The options of the command line and where their values go. */
#ifndef ENM_SIMULATE_CONFIG_OPTIONS_H
#define ENM_SIMULATE_CONFIG_OPTIONS_H

#include "config.h"
#include "options.h"

#define CONFIG_OPTION_COUNT 63

/* What is given by word or flag and turned into the config afterwards. */
typedef struct option_words {
	int path, up, reentry;
	int64_t seed, scanner_seed, lift_offs; /* scanner_seed: -1, not given */
	uint32_t size[2];
	double from_percent, to_percent;
	bool clean, no_noise, no_residual, no_gain, no_dropout, no_grazing, no_shadow, no_mixed, no_highlights;
} option_words;

typedef struct option_values {
	sim_config config;
	option_words words;
} option_values;

/* Options whose targets lie in `values`. */
void config_options_fill(option_values *values, option_def out_options[CONFIG_OPTION_COUNT]);

#endif
