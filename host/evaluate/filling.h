/* SPDX-License-Identifier: Apache-2.0
 * A JSON object being filled: figures in um, at room scale in mm too. */
#ifndef EVALUATE_FILLING_H
#define EVALUATE_FILLING_H

#include "drift.h"
#include "json.h"
#include "score.h"

typedef struct filling {
	json_t *object;
	bool room; /* lengths in mm too */
	bool *ok;  /* cleared when memory runs out */
} filling;

filling fill(const filling *parent); /* a new object, to be put somewhere */

void put(const filling *f, const char *key, json_t *value);
void put_number(const filling *f, const char *key, double value);
void put_count(const filling *f, const char *key, size_t value);
void put_text(const filling *f, const char *key, const char *value);     /* null for NULL */
void put_length(const filling *f, const char *name, double mm);          /* "NAME_um", and "NAME_mm" at room scale */
void put_lengths(const filling *f, const stats *s);                      /* "mean_um" to "max_um" */
void put_trueness(const filling *f, const char *key, const trueness *t); /* null for NULL */
void put_last(const filling *f, json_t *list, json_t *value);            /* behind the others of a list */

#endif
