/* SPDX-License-Identifier: MIT */
#include "socket_broker.h"

#include "ledger/wire/bytes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000, STOP_MS = 60000, ANSWER_MS = 30000 };

static int complain(const char *what)
{
    (void)fprintf(stderr, "fuzz_socket: %s\n", what);
    return -1;
}

static void become_broker(const struct socket_broker *broker, int out)
{
    int log = open(broker->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    /* Freed memory that ASan holds back must not look like memory that the broker
     * holds. */
    (void)setenv("ASAN_OPTIONS",
                 "quarantine_size_mb=8:allocator_release_to_os_interval_ms=500", 0);
    (void)execl(broker->program, broker->program, broker->data_dir, "0", (char *)NULL);
    _exit(127);
}

/* The address that it prints when it is ready: "127.0.0.1:PORT". */
static int read_port(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char line[64];
    ssize_t len = 0;
    const char *colon;

    if (poll(&ready, 1, START_MS) == 1)
        len = read(fd, line, sizeof line - 1);
    line[len > 0 ? len : 0] = '\0';
    colon = strrchr(line, ':');
    return colon ? atoi(colon + 1) : 0;
}

int socket_broker_start(struct socket_broker *broker)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return complain("no pipe");
    broker->pid = fork();
    if (broker->pid == 0)
        become_broker(broker, ends[1]);
    (void)close(ends[1]);
    broker->port = broker->pid > 0 ? read_port(ends[0]) : 0;
    (void)close(ends[0]);
    if (broker->port > 0)
        return 0;
    socket_broker_kill(broker);
    return complain("the broker did not start; see its log");
}

bool socket_broker_lives(struct socket_broker *broker)
{
    int status;

    if (broker->pid > 0 && waitpid(broker->pid, &status, WNOHANG) == broker->pid)
        broker->pid = 0;
    return broker->pid > 0;
}

int64_t socket_broker_peak_bytes(const struct socket_broker *broker)
{
    char path[64];
    char line[128];
    long kib = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)broker->pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    return (int64_t)kib * 1024;
}

int socket_broker_stop(struct socket_broker *broker)
{
    int status = 0;

    (void)kill(broker->pid, SIGTERM);
    for (int waited = 0; waited < STOP_MS; waited += 20) {
        if (waitpid(broker->pid, &status, WNOHANG) == broker->pid) {
            broker->pid = 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
            return complain("the broker did not end well; see its log");
        }
        (void)usleep(20 * 1000);
    }
    socket_broker_kill(broker);
    return complain("the broker did not end on SIGTERM");
}

void socket_broker_kill(struct socket_broker *broker)
{
    if (broker->pid <= 0)
        return;
    (void)kill(broker->pid, SIGKILL);
    (void)waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

int socket_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return -1;
        data += sent;
        len -= (size_t)sent;
    }
    return 0;
}

static int receive_all(int fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, ANSWER_MS) == 1 ? recv(fd, data, len, 0) : -1;

        if (got <= 0)
            return -1;
        data += got;
        len -= (size_t)got;
    }
    return 0;
}

int socket_call(int fd, enum wire_key key, int16_t version, const void *request,
                struct mem_arena *arena, void *response)
{
    const struct wire_api *api = wire_api_find((int16_t)key);
    size_t head = wire_api_flexible(api, version) && key != WIRE_API_VERSIONS ? 5 : 4;
    struct wire_out out = {0};
    struct error err = {0};
    uint8_t size[4];
    uint8_t *answer;
    int result;

    (void)snprintf(err.text, sizeof err.text, "%s: a good client got no answer",
                   api->name);
    wire_write_request(api, version, 99, wire_string_of("witness"), request, &out);
    result = send_all(fd, out.bytes.data, out.bytes.len);
    wire_out_clear(&out);
    if (result < 0 || receive_all(fd, size, sizeof size) < 0)
        return complain(err.text);
    answer = mem_arena_alloc(arena, bytes_get32(size));
    if (receive_all(fd, answer, bytes_get32(size)) < 0)
        return complain("a good client got half an answer");
    if (bytes_get32(size) < head || bytes_get32(answer) != 99)
        return complain("a good client got the answer of someone else");
    err = (struct error){0};
    if (wire_read(api->response, version, answer + head, bytes_get32(size) - head,
                  arena, response, &err) == 0)
        return 0;
    return complain(err.text);
}
