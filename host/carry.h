/* SPDX-License-Identifier: Apache-2.0
 * From a dataset folder to a recording: what `enamel record` and `enamel convert` share. */
#ifndef ENM_HOST_CARRY_H
#define ENM_HOST_CARRY_H

#include "dataset.h"
#include "writer.h"

/* Texts of a recording's header. Zero it before use. */
typedef struct carry_header {
	char *camera, *settings;
} carry_header;

/* The folder's camera.json word for word, else one made of what is known of the layout (or of --camera). The settings
 * say where the frames come from. HOST_USAGE, HOST_IO. */
host_status carry_header_make(const dataset *d, const char *camera_path, carry_header *out);
void carry_header_free(carry_header *h);

/* A definition for a writer of this dataset, but for its file. */
writer_def carry_writer_def(const dataset *d, const carry_header *h);

/* The files beside the pictures: groundtruth.txt, truth.ply and all else that lies in the folder and is neither a list
 * of pictures nor hidden. Of 7-Scenes the poses, as groundtruth.txt. */
host_status carry_files(const dataset *d, writer *w);

/* Memory for one frame. Zero it before use. */
typedef struct carry_buffer {
	uint16_t *depth;
	uint8_t *rgb;
} carry_buffer;
host_status carry_buffer_make(const dataset *d, carry_buffer *out);
void carry_buffer_free(carry_buffer *b);

/* Reads frame `index` as it was recorded; its number is the index. False, and a warning, when it cannot be read; a
 * warning too when only its colour cannot. `*out_color_lost` may count. Times of 7-Scenes become seconds. */
bool carry_frame(const dataset *d, size_t index, carry_buffer *buffer, recording_frame *out, size_t *out_color_lost);

#endif
