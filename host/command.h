/* SPDX-License-Identifier: Apache-2.0
 * The subcommands of `enamel`. Each takes its own argv, argv[0] being the subcommand, and returns the exit code. */
#ifndef ENM_HOST_COMMAND_H
#define ENM_HOST_COMMAND_H

int command_devices(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_batch(int argc, char **argv);
int command_view(int argc, char **argv);
int command_render(int argc, char **argv);

/* Live scans and their sessions. */
int command_live(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_refine(int argc, char **argv);

/* Recordings (*.enmrec). */
int command_record(int argc, char **argv);
int command_info(int argc, char **argv);
int command_recover(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_cut(int argc, char **argv);

/* Become the program enamel-simulate or enamel-evaluate; return only when it cannot be started. */
int command_simulate(int argc, char **argv);
int command_evaluate(int argc, char **argv);

/* Clock time at which main() was entered, for `startup_ms`. */
extern double process_start_s;

#endif
