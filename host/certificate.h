/* SPDX-License-Identifier: Apache-2.0
 * A page that says how far a scan can be trusted, for those who have to work with it. */
#ifndef ENM_HOST_CERTIFICATE_H
#define ENM_HOST_CERTIFICATE_H

#include "quality.h"
#include "report.h"

/* Writes a PNG of an A4 page at 150 dots per inch, whole or not at all. The pictures are rendered by the session. HOST_DATA, HOST_DEVICE, HOST_IO. */
host_status certificate_write(
	const char *path, const replay_facts *f, const quality *q, enm_session *session, const enm_mesh_data *mesh);

#endif
