/* SPDX-License-Identifier: Apache-2.0
 * Asks the kernel for the connectors of its graphics devices. */
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xf86drm.h>

/* Whoever opens a primary node that nobody owns becomes its master, and a display server that starts at that moment
 * would be refused: so that is given back at once. */
static int open_node(const char *path)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	if (descriptor >= 0 && drmIsMaster(descriptor))
		drmDropMaster(descriptor);
	return descriptor;
}

static void close_node(int descriptor)
{
	close(descriptor);
}

/* The current state only: a probe takes tenths of a second and may make screens flicker. */
const topology_calls topology_libdrm = {
	.open_node = open_node,
	.close_node = close_node,
	.get_resources = drmModeGetResources,
	.free_resources = drmModeFreeResources,
	.get_connector = drmModeGetConnectorCurrent,
	.free_connector = drmModeFreeConnector,
	.get_encoder = drmModeGetEncoder,
	.free_encoder = drmModeFreeEncoder,
};

static bool is_lit(const topology_calls *calls, int descriptor, const drmModeConnector *connector)
{
	drmModeEncoderPtr encoder =
		connector->encoder_id ? calls->get_encoder(descriptor, connector->encoder_id) : NULL;
	bool lit = encoder && encoder->crtc_id;
	if (encoder)
		calls->free_encoder(encoder);
	return lit;
}

/* A connector that is gone since the list was made (a dock was unplugged) is named and left out. */
static void read_connector(const topology_calls *calls, int descriptor, uint32_t id, topology_gpu *gpu)
{
	errno = 0;
	drmModeConnectorPtr connector = calls->get_connector(descriptor, id);
	if (!connector) {
		snprintf(gpu->trouble, sizeof gpu->trouble, "connector %u: %s", id,
			errno ? strerror(errno) : "no answer");
		return;
	}
	if (gpu->connector_count == TOPOLOGY_CONNECTORS_MAX) {
		snprintf(gpu->trouble, sizeof gpu->trouble, "more than %d connectors", TOPOLOGY_CONNECTORS_MAX);
	} else {
		topology_connector *out = &gpu->connectors[gpu->connector_count++];
		const char *type = drmModeGetConnectorTypeName(connector->connector_type);
		snprintf(
			out->name, sizeof out->name, "%.24s-%u", type ? type : "Unknown", connector->connector_type_id);
		out->connection = connector->connection;
		out->lit = connector->connection == DRM_MODE_CONNECTED && is_lit(calls, descriptor, connector);
	}
	calls->free_connector(connector);
}

void topology_read_connectors(const topology_calls *calls, topology_gpu *gpu)
{
	gpu->connector_count = 0;
	gpu->trouble[0] = 0;
	if (!*gpu->node.primary)
		return; /* a render node alone has no outputs */
	int descriptor = calls->open_node(gpu->node.primary);
	if (descriptor < 0) {
		snprintf(gpu->trouble, sizeof gpu->trouble, "cannot open %s: %s", gpu->node.primary, strerror(errno));
		return;
	}
	errno = 0;
	drmModeResPtr resources = calls->get_resources(descriptor);
	int reason = errno;
	for (int i = 0; resources && i < resources->count_connectors; i++)
		read_connector(calls, descriptor, resources->connectors[i], gpu);
	/* A device without mode setting (made for computing) has no outputs, which is an answer. */
	if (!resources && reason != EOPNOTSUPP)
		snprintf(gpu->trouble, sizeof gpu->trouble, "cannot ask %s for its outputs: %s", gpu->node.primary,
			reason ? strerror(reason) : "no answer");
	if (resources)
		calls->free_resources(resources);
	calls->close_node(descriptor);
}

host_status topology_read(const topology_calls *calls, topology *out)
{
	memset(out, 0, sizeof *out);
	drm_node nodes[TOPOLOGY_GPUS_MAX];
	size_t count;
	host_status status = drm_list(nodes, TOPOLOGY_GPUS_MAX, &count);
	if (status)
		return status;
	out->gpu_count = count < TOPOLOGY_GPUS_MAX ? count : TOPOLOGY_GPUS_MAX;
	for (size_t i = 0; i < out->gpu_count; i++) {
		out->gpus[i].node = nodes[i];
		topology_read_connectors(calls, &out->gpus[i]);
	}
	return HOST_OK;
}
