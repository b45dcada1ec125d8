/* SPDX-License-Identifier: MIT
 *
 * dag_check.h - is the graph as a whole right?
 * Layer: core (pure). Called by dag_load after reading, also when reading found errors:
 * everything that is wrong is reported in one pass.
 */
#ifndef CORE_DAG_CHECK_H
#define CORE_DAG_CHECK_H

#include "core/dag.h"

/*
 * Fill inputs, outputs, layer and order, and report cycles, nodes without connection,
 * and settings that contradict each other. from_given: by node, whether it has a from:.
 * complete: no edge is missing because its from: was wrong; else that is not held against
 * the nodes it would have connected.
 */
void dag_check_graph(struct dag *dag, const bool *from_given, bool complete,
                     struct diag_list *diags);

/* Report topics that are illegal, collide, or are shared with different settings. */
void dag_check_topics(const struct dag *dag, struct diag_list *diags);

#endif
