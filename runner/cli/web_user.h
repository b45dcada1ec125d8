/* SPDX-License-Identifier: MIT
 *
 * web_user.h - dagrun web user: who may use the web server, in web.users of the state
 * directory. Layer: cli. The server need not run; one that does sees changes at once.
 */
#ifndef CLI_WEB_USER_H
#define CLI_WEB_USER_H

/* argv[0] is "user". Returns the exit code. */
int web_user(int argc, char **argv);

#endif
