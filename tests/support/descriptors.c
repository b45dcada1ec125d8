/* SPDX-License-Identifier: MIT */
#include "descriptors.h"

#include <dirent.h>
#include <stddef.h>

int descriptors_count(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}
