/* SPDX-License-Identifier: MIT
 *
 * show_samples.h - `dagrun show --samples`: what flowed over a run. Layer: cli.
 */
#ifndef CLI_SHOW_SAMPLES_H
#define CLI_SHOW_SAMPLES_H

#include "ops/address.h"

/* Print the samples of a run, or of a node, client or edge of it. */
void show_samples(const struct ops *ops, const struct address *address, bool json,
                  struct error *err);

#endif
