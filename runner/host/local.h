/* SPDX-License-Identifier: MIT
 *
 * local.h - this machine and this user, in the words that the history records.
 * Layer: host.
 */
#ifndef HOST_LOCAL_H
#define HOST_LOCAL_H

#include <stdbool.h>

enum { LOCAL_TEXT = 128 };

void local_host_name(char text[LOCAL_TEXT]);
void local_user_name(char text[LOCAL_TEXT]);
/* Changes with every boot; "" when the kernel does not say. */
void local_boot_id(char text[LOCAL_TEXT]);

/* Is this an address of one of our interfaces? "/127.0.0.1" as Kafka shows it is fine. */
bool local_is_own_address(const char *address);

#endif
