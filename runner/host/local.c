/* SPDX-License-Identifier: MIT */
#include "host/local.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void local_host_name(char text[LOCAL_TEXT])
{
    if (gethostname(text, LOCAL_TEXT - 1) < 0)
        (void)snprintf(text, LOCAL_TEXT, "unknown");
    text[LOCAL_TEXT - 1] = '\0';
}

void local_user_name(char text[LOCAL_TEXT])
{
    const struct passwd *user = getpwuid(getuid());

    if (user)
        (void)snprintf(text, LOCAL_TEXT, "%s", user->pw_name);
    else
        (void)snprintf(text, LOCAL_TEXT, "%u", (unsigned)getuid());
}

void local_boot_id(char text[LOCAL_TEXT])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    text[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(text, LOCAL_TEXT, file))
        text[strcspn(text, "\n")] = '\0';
    (void)fclose(file);
}

static bool is_address_of(const struct ifaddrs *interface, const char *address)
{
    char text[NI_MAXHOST];
    socklen_t len;

    if (interface->ifa_addr == NULL)
        return false;
    if (interface->ifa_addr->sa_family == AF_INET)
        len = sizeof(struct sockaddr_in);
    else if (interface->ifa_addr->sa_family == AF_INET6)
        len = sizeof(struct sockaddr_in6);
    else
        return false;
    if (getnameinfo(interface->ifa_addr, len, text, sizeof text, NULL, 0, NI_NUMERICHOST))
        return false;
    text[strcspn(text, "%")] = '\0';
    return strcmp(text, address) == 0;
}

bool local_is_own_address(const char *address)
{
    struct ifaddrs *interfaces;
    bool own = false;

    if (*address == '/')
        address++;
    if (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
        strcmp(address, "0:0:0:0:0:0:0:1") == 0)
        return true;
    if (getifaddrs(&interfaces) < 0)
        return false;
    for (const struct ifaddrs *i = interfaces; i && !own; i = i->ifa_next)
        own = is_address_of(i, address);
    freeifaddrs(interfaces);
    return own;
}
