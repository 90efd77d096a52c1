/* SPDX-License-Identifier: Apache-2.0
 * What the simulated scanner gets wrong. Each term is off at zero; the numbers of each come from a random stream of its
 * own, so that switching one off leaves the others as they were. */
#ifndef ENM_SIMULATE_ERRORS_H
#define ENM_SIMULATE_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enamel.h"
#include "vec.h"

typedef struct error_def {
	double noise_um;           /* axial sigma at the stand-off, seen squarely */
	double correlated_percent; /* share of the noise's variance that is correlated over 3 to 7 pixels */
	double bow_um;             /* session-constant depth residual: the quadratic term */
	double residual_um;        /* largest size of its tilts, twist and astigmatism, drawn from the scanner's seed */
	double gain_percent;       /* error of scale */
	double dropout_percent;    /* of all pixels, in clumps */
	double grazing_degrees;    /* half of the readings are gone at this incidence; 90: off */
	double grazing_width_degrees;
	double projector_mm;       /* a point must be lit from this far beside the camera; 0: no shadow */
	double mixed_percent;      /* of the pixels at depth steps without reading; negative: no mixed pixels at all */
	int64_t mixed_px;          /* at steps a reading averages this far; 0: the last pixel before one is mixed */
	double highlight_degrees;  /* half angle of a highlight's blind core; twice that is its biased ring */
	double highlight_um;       /* bias of the ring, towards the camera */
	double saliva_um;          /* depth of the film in the deepest grooves */
	double foreign_percent;    /* of the time something else is in the view */
	double foreign_speed_mm_s; /* of it, at its fastest */
	bool foreign_rests;        /* it comes from outside the view, along with the wand, and may rest for a while */
	double near_mm, far_mm;    /* outside there are no readings; no error term */
} error_def;

/* Everything as DATASETS.md starts it, saliva and foreign bodies off. */
error_def error_def_default(void);
/* No error at all; the range of depth stays. */
error_def error_def_clean(void);

/* The session's residual: the bow as given, the others drawn. */
enm_depth_residual error_residual(const error_def *def, uint64_t seed);
/* Its value in mm at a pixel. */
double error_residual_mm(const enm_depth_residual *r, uint32_t width, uint32_t height, double u, double v);

/* Fills `out` (width * height) with standard normal numbers that are correlated over the picture: the correlation falls
 * to 1/e at `length_px`; 0 for independent ones. `scratch` holds error_field_scratch() numbers. */
size_t error_field_scratch(uint32_t width, uint32_t height);
void error_field(uint64_t key, uint32_t width, uint32_t height, double length_px, float *out, float *scratch);

#endif
