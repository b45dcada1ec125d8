/* SPDX-License-Identifier: MIT
 *
 * A system that has no process or no descriptor left: calls wrapped by the linker.
 */
#include "host/process.h"
#include "support/descriptors.h"
#include "support/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn_error;
static int pidfd_error;
static int fcntl_error;

int __wrap_posix_spawn(pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const envp[]);
int __real_posix_spawn(pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const envp[]);
int __wrap_pidfd_open(pid_t pid, unsigned flags);
int __real_pidfd_open(pid_t pid, unsigned flags);
int __wrap_fcntl(int fd, int command, ...);
int __real_fcntl(int fd, int command, ...);

int __wrap_posix_spawn(pid_t *pid, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const envp[])
{
    if (spawn_error)
        return spawn_error;
    return __real_posix_spawn(pid, path, actions, attributes, argv, envp);
}

int __wrap_pidfd_open(pid_t pid, unsigned flags)
{
    if (pidfd_error == 0)
        return __real_pidfd_open(pid, flags);
    errno = pidfd_error;
    return -1;
}

int __wrap_fcntl(int fd, int command, ...)
{
    va_list ap;
    int value;

    va_start(ap, command);
    value = va_arg(ap, int);
    va_end(ap);
    if (fcntl_error == 0)
        return __real_fcntl(fd, command, value);
    errno = fcntl_error;
    return -1;
}

static void fails(const char *expected)
{
    char *argv[] = {"child", "sleep", NULL};
    struct process_spec spec = {.path = TEST_CHILD,
                                .argv = argv,
                                .stdin_fd = -1,
                                .stdout_fd = 1,
                                .stderr_fd = 2,
                                .extra_fd = -1};
    int descriptors = descriptors_count();
    struct error err = {0};

    ck_assert_ptr_null(process_spawn(&spec, &err));
    ck_assert_int_eq(err.kind, ERROR_INTERNAL);
    ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
    ck_assert_int_eq(descriptors_count(), descriptors);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* nobody runs unseen */
    ck_assert_int_eq(errno, ECHILD);
}

START_TEST(no_process_left_is_an_error)
{
    spawn_error = EAGAIN;
    fails("no new process: Resource temporarily unavailable");
    spawn_error = ENOMEM;
    fails("no new process: Cannot allocate memory");
}
END_TEST

START_TEST(a_child_that_can_not_be_watched_is_not_left_running)
{
    pidfd_error = EMFILE;
    fails("no descriptor for process");
}
END_TEST

START_TEST(no_descriptor_left_is_an_error)
{
    fcntl_error = EMFILE;
    fails("no descriptor for a new process");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process_fault");
    TCase *cases = tcase_create("process_fault");

    tcase_add_test(cases, no_process_left_is_an_error);
    tcase_add_test(cases, a_child_that_can_not_be_watched_is_not_left_running);
    tcase_add_test(cases, no_descriptor_left_is_an_error);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
