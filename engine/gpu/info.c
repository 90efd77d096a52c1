/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <CL/cl_ext.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads one property; the first failure is kept in `entry->info.reason`. */
static bool get(cl_device_id id, gpu_entry *entry, cl_device_info what, const char *name, size_t size, void *out)
{
	cl_int status = GPU_CL(clGetDeviceInfo(id, what, size, out, NULL));
	if (status == CL_SUCCESS)
		return true;
	if (entry->info.reason[0] == '\0')
		snprintf(entry->info.reason, sizeof(entry->info.reason), "clGetDeviceInfo %s: %s (%d)", name,
			gpu_status_name(status), status);
	return false;
}
#define GET(what, out) get(id, entry, what, #what, sizeof(out), &(out))

/* A text property, cut to the room there is, without blanks at its ends (some drivers pad names). */
static void get_text(cl_device_id id, gpu_entry *entry, cl_device_info what, const char *name, char *out, size_t size)
{
	size_t needed = 0;
	char *text = NULL;
	cl_int status = GPU_CL(clGetDeviceInfo(id, what, 0, NULL, &needed));
	if (status == CL_SUCCESS && needed > 0 && (text = calloc(1, needed + 1)) != NULL)
		get(id, entry, what, name, needed, text);
	else if (entry->info.reason[0] == '\0')
		snprintf(entry->info.reason, sizeof(entry->info.reason), "clGetDeviceInfo %s: %s (%d)", name,
			gpu_status_name(status), status);
	const char *begin = text != NULL ? text : "";
	while (isspace((unsigned char)*begin))
		begin++;
	snprintf(out, size, "%s", begin);
	for (size_t end = strlen(out); end > 0 && isspace((unsigned char)out[end - 1]); end--)
		out[end - 1] = '\0';
	free(text);
}
#define GET_TEXT(what, out) get_text(id, entry, what, #what, out, sizeof(out))

static bool has_extension(const char *extensions, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = extensions; (at = strstr(at, name)) != NULL; at += length)
		if ((at == extensions || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

static bool pci_khr(cl_device_id id, char *out, size_t size)
{
	cl_device_pci_bus_info_khr pci = {0};
	if (GPU_CL(clGetDeviceInfo(id, CL_DEVICE_PCI_BUS_INFO_KHR, sizeof(pci), &pci, NULL)) != CL_SUCCESS)
		return false;
	snprintf(out, size, "%04x:%02x:%02x.%x", pci.pci_domain, pci.pci_bus, pci.pci_device, pci.pci_function);
	return true;
}

/* NVIDIA's slot holds device and function in the way of PCI's devfn. The domain is asked for apart: older drivers do
 * not know it. */
static bool pci_nvidia(cl_device_id id, char *out, size_t size)
{
	const cl_device_info bus_id = 0x4008, slot_id = 0x4009, domain_id = 0x400A;
	cl_uint bus = 0, slot = 0, domain = 0;
	if (GPU_CL(clGetDeviceInfo(id, bus_id, sizeof(bus), &bus, NULL)) != CL_SUCCESS ||
		GPU_CL(clGetDeviceInfo(id, slot_id, sizeof(slot), &slot, NULL)) != CL_SUCCESS)
		return false;
	if (GPU_CL(clGetDeviceInfo(id, domain_id, sizeof(domain), &domain, NULL)) != CL_SUCCESS)
		domain = 0;
	snprintf(out, size, "%04x:%02x:%02x.%x", domain, bus, slot >> 3, slot & 7u);
	return true;
}

static bool pci_amd(cl_device_id id, char *out, size_t size)
{
	/* cl_device_topology_amd: a type, 17 unused bytes, then bus, device and function. */
	unsigned char topology[24] = {0};
	const unsigned char *bdf = topology + 21;
	cl_uint type = 0;
	if (GPU_CL(clGetDeviceInfo(id, CL_DEVICE_TOPOLOGY_AMD, sizeof(topology), topology, NULL)) != CL_SUCCESS)
		return false;
	memcpy(&type, topology, sizeof(type));
	if (type != CL_DEVICE_TOPOLOGY_TYPE_PCIE_AMD)
		return false;
	snprintf(out, size, "0000:%02x:%02x.%x", bdf[0], bdf[1], bdf[2] & 7u);
	return true;
}

static void get_pci_address(cl_device_id id, const char *extensions, enm_device_info *info)
{
	char *out = info->pci_address;
	const size_t size = sizeof(info->pci_address);
	bool known = has_extension(extensions, "cl_khr_pci_bus_info") && pci_khr(id, out, size);
	if (!known && has_extension(extensions, "cl_nv_device_attribute_query"))
		known = pci_nvidia(id, out, size);
	if (!known && has_extension(extensions, "cl_amd_device_attribute_query"))
		pci_amd(id, out, size);
}

static bool has_sub_groups(cl_device_id id, const char *extensions)
{
	if (has_extension(extensions, "cl_khr_subgroups") || has_extension(extensions, "cl_intel_subgroups"))
		return true;
	cl_uint count = 0; /* a property since OpenCL 2.1: older drivers refuse it */
	return GPU_CL(clGetDeviceInfo(id, CL_DEVICE_MAX_NUM_SUB_GROUPS, sizeof(count), &count, NULL)) == CL_SUCCESS &&
	       count > 0;
}

static void get_features(cl_device_id id, gpu_entry *entry)
{
	enm_device_info *info = &entry->info;
	char *extensions = NULL;
	size_t size = 0;
	if (GPU_CL(clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size)) == CL_SUCCESS)
		extensions = calloc(1, size + 1);
	if (extensions == NULL || !get(id, entry, CL_DEVICE_EXTENSIONS, "CL_DEVICE_EXTENSIONS", size, extensions))
		goto done;
	info->fp16 = has_extension(extensions, "cl_khr_fp16");
	info->fp64 = has_extension(extensions, "cl_khr_fp64");
	info->command_buffers = has_extension(extensions, "cl_khr_command_buffer");
	info->sub_groups = has_sub_groups(id, extensions);
	get_pci_address(id, extensions, info);
done:
	free(extensions);
}

static void get_sizes(cl_device_id id, gpu_entry *entry)
{
	enm_device_info *info = &entry->info;
	cl_ulong bytes = 0;
	cl_uint units = 0;
	size_t group = 0;
	cl_device_fp_config fp32 = 0;
	cl_bool unified = CL_FALSE;
	if (GET(CL_DEVICE_GLOBAL_MEM_SIZE, bytes))
		info->memory_bytes = bytes;
	if (GET(CL_DEVICE_MAX_MEM_ALLOC_SIZE, bytes))
		info->largest_allocation_bytes = bytes;
	if (GET(CL_DEVICE_LOCAL_MEM_SIZE, bytes))
		info->local_memory_bytes = bytes;
	if (GET(CL_DEVICE_MAX_COMPUTE_UNITS, units))
		info->compute_units = units;
	if (GET(CL_DEVICE_MAX_WORK_GROUP_SIZE, group))
		info->work_group_max = group > UINT32_MAX ? UINT32_MAX : (uint32_t)group;
	if (GET(CL_DEVICE_HOST_UNIFIED_MEMORY, unified))
		info->unified_memory = unified == CL_TRUE;
	if (GET(CL_DEVICE_SINGLE_FP_CONFIG, fp32))
		entry->rounded_divide = (fp32 & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
}

static enm_device_kind kind_of(cl_device_type type)
{
	if ((type & CL_DEVICE_TYPE_GPU) != 0)
		return ENM_DEVICE_GPU;
	return (type & CL_DEVICE_TYPE_CPU) != 0 ? ENM_DEVICE_CPU : ENM_DEVICE_OTHER;
}

/* The floor of enamel.h. */
static void judge(cl_device_id id, gpu_entry *entry)
{
	enm_device_info *info = &entry->info;
	cl_bool available = CL_FALSE, compiler = CL_FALSE, little_endian = CL_FALSE;
	unsigned major = 0, minor = 0;
	GET(CL_DEVICE_AVAILABLE, available);
	GET(CL_DEVICE_COMPILER_AVAILABLE, compiler);
	GET(CL_DEVICE_ENDIAN_LITTLE, little_endian);
	if (info->reason[0] != '\0')
		return; /* it did not answer */
	const char *reason = "";
	if (sscanf(info->opencl_version, "OpenCL %u.%u", &major, &minor) != 2 || major * 10 + minor < 12)
		reason = "older than OpenCL 1.2";
	else if (!available)
		reason = "not available";
	else if (!compiler)
		reason = "no compiler";
	else if (!little_endian)
		reason = "big-endian";
	else if (info->work_group_max < 64)
		reason = "work-groups of fewer than 64";
	snprintf(info->reason, sizeof(info->reason), "%s", reason);
	info->usable = reason[0] == '\0';
}

void gpu_info_get(cl_device_id id, gpu_entry *entry)
{
	enm_device_info *info = &entry->info;
	cl_device_type type = 0;
	entry->id = id;
	GET_TEXT(CL_DEVICE_NAME, info->name);
	GET_TEXT(CL_DEVICE_VENDOR, info->vendor);
	GET_TEXT(CL_DRIVER_VERSION, info->driver);
	GET_TEXT(CL_DEVICE_VERSION, info->opencl_version);
	GET_TEXT(CL_DEVICE_OPENCL_C_VERSION, info->opencl_c_version);
	info->kind = ENM_DEVICE_OTHER;
	if (GET(CL_DEVICE_TYPE, type))
		info->kind = kind_of(type);
	get_sizes(id, entry);
	get_features(id, entry);
	judge(id, entry);
}
