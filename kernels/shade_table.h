/* SPDX-License-Identifier: Apache-2.0
 *
 * What values are painted with, once for the device that paints and for the host that makes the legends. Red, green, blue from 0 to 1, before light
 * falls on them. */
#ifndef ENM_SHADE_TABLE_H
#define ENM_SHADE_TABLE_H

#ifdef __OPENCL_C_VERSION__
#define SHADE_TABLE __constant float
#else
#define SHADE_TABLE static const float
#endif

/* As enm_shade. */
#define ENM_K_SHADE_CLAY 0
#define ENM_K_SHADE_COLOR 1
#define ENM_K_SHADE_VIEWS 2
#define ENM_K_SHADE_NORMAL 3
#define ENM_K_SHADE_QUALITY 4
#define ENM_K_SHADE_INCIDENCE 5
#define ENM_K_SHADE_FLAGS 6
#define ENM_K_SHADE_DEVIATION 7

/* Maps: so many points each, evenly from the low end to the high one, straight lines between them. */
#define ENM_K_RAMP_POINTS 9
#define ENM_K_RAMP_FEW_MANY 0 /* orange, white, blue: white is in the middle of what matters */
#define ENM_K_RAMP_GOOD_BAD 1 /* viridis (van der Walt and Smith 2015), from its bright end: even steps of lightness, in grey too */
#define ENM_K_RAMP_SIGNED 2   /* blue, white, orange: dark at both ends */

SHADE_TABLE enm_k_ramps[3 * ENM_K_RAMP_POINTS * 3] = {
	0.900f, 0.450f, 0.050f, 0.912f, 0.575f, 0.275f, 0.925f, 0.700f, 0.500f, 0.938f, 0.825f, 0.725f, 0.950f, 0.950f, 0.950f,
	0.750f, 0.812f, 0.912f, 0.550f, 0.675f, 0.875f, 0.350f, 0.537f, 0.838f, 0.150f, 0.400f, 0.800f,

	0.992f, 0.906f, 0.145f, 0.667f, 0.863f, 0.196f, 0.365f, 0.784f, 0.388f, 0.153f, 0.678f, 0.506f, 0.129f, 0.565f, 0.549f,
	0.173f, 0.447f, 0.557f, 0.231f, 0.322f, 0.545f, 0.278f, 0.176f, 0.482f, 0.267f, 0.004f, 0.329f,

	0.050f, 0.220f, 0.550f, 0.215f, 0.410f, 0.700f, 0.380f, 0.600f, 0.850f, 0.665f, 0.775f, 0.900f, 0.950f, 0.950f, 0.950f,
	0.950f, 0.805f, 0.625f, 0.950f, 0.660f, 0.300f, 0.805f, 0.465f, 0.150f, 0.660f, 0.270f, 0.000f,
};

/* Flags as enm_flag: none is clay, the others after Okabe and Ito 2008. */
#define ENM_K_FLAG_FEW_VIEWS 1
#define ENM_K_FLAG_LOW_CONFIDENCE 2
#define ENM_K_FLAGS_ALL 3
#define ENM_K_FEW_VIEWS 5              /* fewer are few */
#define ENM_K_LOW_CONFIDENCE_UM 10.0f /* more is low */

SHADE_TABLE enm_k_flag_colors[(ENM_K_FLAGS_ALL + 1) * 3] = {
	0.80f, 0.78f, 0.74f, /* none: clay */
	0.90f, 0.60f, 0.00f, /* few views */
	0.34f, 0.71f, 0.91f, /* low confidence */
	0.45f, 0.15f, 0.45f, /* both */
};

/* Along a cut: no map has this hue. */
SHADE_TABLE enm_k_cut_color[3] = {0.80f, 0.47f, 0.65f};

#endif
