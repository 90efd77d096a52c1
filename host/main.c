/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "error.h"

typedef struct command {
	const char *name, *full_name;
	int (*run)(int argc, char **argv);
	const char *help;
} command;

static const command commands[] = {
	{"devices", "enamel devices", command_devices, "list the OpenCL devices and DRM nodes of this machine"},
	{"live", "enamel live", command_live, "stitch and record frames as they come"},
	{"resume", "enamel resume", command_resume, "build a session's model again, and go on with its scan"},
	{"refine", "enamel refine", command_refine, "solve a session's scan as a whole"},
	{"replay", "enamel replay", command_replay, "stitch a recorded dataset into a mesh"},
	{"view", "enamel view", command_view, "look at a model and measure it"},
	{"batch", "enamel batch", command_batch, "replay a list of datasets"},
	{"render", "enamel render", command_render, "make a picture of a mesh or a dataset"},
	{"record", "enamel record", command_record, "write a dataset into a recording, as a live scan would"},
	{"info", "enamel info", command_info, "say what a recording holds and what is damaged"},
	{"recover", "enamel recover", command_recover, "write a repaired copy of a recording"},
	{"convert", "enamel convert", command_convert, "make a recording of a folder, or a folder of a recording"},
	{"cut", "enamel cut", command_cut, "write a part of a recording"},
	{"simulate", "enamel simulate", command_simulate, "make a dataset from a mesh or a built-in body"},
	{"evaluate", "enamel evaluate", command_evaluate, "compare a reconstruction with its truth"},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *stream)
{
	fputs("usage: enamel COMMAND [arguments]\n\n"
	      "Stitches the depth frames of an intraoral scanner into one model.\n\ncommands:\n",
		stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n'enamel COMMAND --help' tells more, 'enamel --version' the version.\n"
	      "Exit codes: 0 done, 1 the data was not good enough, 2 wrong usage or unreadable input,\n"
	      "3 no usable device, 4 an output could not be written, 130 interrupted.\n",
		stream);
}

int main(int argc, char **argv)
{
	process_start_s = clock_s();
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a write error, not a death */
	signal(SIGXFSZ, SIG_IGN); /* and so is a bound on the size of files */
	signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it: then nobody could wait for a worker */
	if (argc < 2)
		return host_report_failure(host_fail(HOST_USAGE, "no command given ('enamel --help' lists them)"));
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return HOST_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("enamel %s\n", enm_version());
		return HOST_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			host_set_program(commands[i].full_name);
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	return host_report_failure(host_fail(HOST_USAGE, "unknown command '%s' ('enamel --help' lists them)", argv[1]));
}
