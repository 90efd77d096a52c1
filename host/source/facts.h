/* SPDX-License-Identifier: Apache-2.0
 * The facts of a source whose camera is told by a camera.json. */
#ifndef ENM_HOST_SOURCE_FACTS_H
#define ENM_HOST_SOURCE_FACTS_H

#include <stdbool.h>

#include "source.h"

/* How far a device's frame rate may be from the one that was asked for: 29.97 passes for 30. */
#define FACTS_FPS_TOLERANCE 0.01

/* Fills camera, depth_mm_per_unit and camera_json from the text of a camera.json that `name` stands for; the text
 * becomes the facts', or is freed. An `fps` above 0 replaces the text's, in the text too. HOST_USAGE: "NAME: field:
 * reason". HOST_IO: memory. */
host_status facts_from_text(const char *name, char *text, double fps, source_facts *out);
/* The same of a file. */
host_status facts_from_file(const char *path, double fps, source_facts *out);
/* Accepts facts that are all zero, and leaves them so. */
void facts_free(source_facts *facts);

bool facts_fps_fits(double fps, double wanted_fps);

#endif
