/* SPDX-License-Identifier: MIT
 *
 * descriptors.h - for tests that nothing stays open.
 */
#ifndef TESTS_SUPPORT_DESCRIPTORS_H
#define TESTS_SUPPORT_DESCRIPTORS_H

/* How many this process has open; the same few of the look itself are always among them. */
int descriptors_count(void);

#endif
