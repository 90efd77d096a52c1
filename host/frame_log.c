/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_log.h"

#include <math.h>
#include <stdio.h>

#include "file.h"

static const char *verdict_name(const stitch_frame *f)
{
	switch (f->report.verdict) {
	case ENM_VERDICT_TRACKED:
		return f->apart ? "apart" : "tracked";
	case ENM_VERDICT_WEAK:
		return "weak";
	case ENM_VERDICT_LOST:
		break;
	}
	return "lost";
}

/* Root of the sum of three variances. */
static double sigma(const enm_report *r, size_t first)
{
	return sqrt((double)r->covariance[first * 7] + (double)r->covariance[(first + 1) * 7] + (double)r->covariance[(first + 2) * 7]);
}

static void write_frame(FILE *f, double time_s, const stitch_frame *frame)
{
	const enm_report *r = &frame->report;
	const enm_pose *p = &r->world_from_camera;
	fprintf(f, "%.6f\t%s\t%d\t%d\t%u\t%u\t%u\t%u\t%.4f\t%.4f\t%.2f\t%.6f\t%u\t%.2f\t%.3f\t%u\t%u\t%.3f\t", time_s, verdict_name(frame),
		(int)r->reason, r->fused ? 1 : 0, r->events, r->island, r->valid_readings, r->samples, (double)r->overlap,
		(double)r->inliers, 1e3 * (double)r->rms_mm, (double)r->least_eigenvalue, r->held, 1e3 * sigma(r, 3), 1e3 * sigma(r, 0),
		r->iterations, r->blocks_used, (double)r->latency_ms);
	fprintf(f, "%.6f\t%.6f\t%.6f\t%.9f\t%.9f\t%.9f\t%.9f\n", p->t_mm[0], p->t_mm[1], p->t_mm[2], p->q_xyzw[0], p->q_xyzw[1],
		p->q_xyzw[2], p->q_xyzw[3]);
}

host_status frame_log_write(const char *path, const dataset *d, const stitch_result *r)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status)
		return status;
	fprintf(output.stream, "time_s\tverdict\treason\tfused\tevents\tisland\treadings\tsamples\toverlap\tinliers\trms_um\t"
			       "least_eigenvalue\theld\tsigma_move_um\tsigma_turn_mrad\titerations\tblocks\tlatency_ms\t"
			       "tx_mm\tty_mm\ttz_mm\tqx\tqy\tqz\tqw\n");
	for (size_t i = 0; i < r->frame_count; i++)
		if (r->frames[i].reported)
			write_frame(output.stream, d->frames[r->frames[i].index].time_s, &r->frames[i]);
	return file_commit(&output);
}
