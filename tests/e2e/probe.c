/* SPDX-License-Identifier: MIT
 *
 * probe.c - looks into a Kafka and meddles with it, for the end-to-end tests: what dagrun
 * did is checked by something that is not dagrun. DAGRUN_BROKERS names the Kafka.
 *
 *   probe dump TOPIC                 every record, a JSON object a line
 *   probe ends TOPIC                 "partition low high" a line; exit 4: no such topic
 *   probe committed GROUP TOPIC      "partition offset" a line, -1 none
 *   probe create TOPIC PARTITIONS    make a topic
 *   probe grow TOPIC PARTITIONS      add partitions until there are so many
 *   probe delete TOPIC               delete a topic
 *   probe forget GROUP               delete a group with its offsets
 *   probe produce TOPIC [MS]         lines of stdin as values, with timestamp MS
 *   probe put TOPIC [PARTITION]      lines of stdin: KEY VALUE [NAME VALUE]… in hex, - null
 *   probe topics                     the names of all topics
 *   probe settings TOPIC             "name value" a line
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000, NOT_FOUND = 4 };

static int fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "probe: error: %s: %s\n", what, why);
    return 1;
}

static rd_kafka_t *connect_as(rd_kafka_type_t type, const char *group)
{
    char text[512];
    const char *brokers = getenv("DAGRUN_BROKERS");
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;

    if (brokers == NULL) {
        (void)fail("DAGRUN_BROKERS", "not set");
        exit(2);
    }
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    rd_kafka_conf_set(conf, "group.id", group, text, sizeof(text));
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", text, sizeof(text));
    rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", text, sizeof(text));
    rd_kafka_conf_set(conf, "message.max.bytes", "10000000", text, sizeof(text));
    rd_kafka_conf_set(conf, "log_level", "2", text, sizeof(text));
    rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (rk == NULL) {
        (void)fail("librdkafka", text);
        exit(1);
    }
    return rk;
}

/* The number of partitions; 0 when there is no such topic, -1 when nobody answers. */
static int partition_count(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    int count = -1;

    if (rd_kafka_metadata(rk, 0, rkt, &md, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = md->topics[0].err ? 0 : md->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(rkt);
    return count;
}

static void print_bytes(const char *bytes, size_t len)
{
    if (bytes == NULL) {
        (void)fputs("null", stdout);
        return;
    }
    (void)putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f)
            (void)printf("\\u%04x", c);
        else
            (void)putchar(c);
    }
    (void)putchar('"');
}

static void print_record(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len;

    (void)printf("{\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,\"key\":",
                 (int)m->partition, (long long)m->offset,
                 (long long)rd_kafka_message_timestamp(m, NULL));
    print_bytes(m->key, m->key_len);
    (void)fputs(",\"value\":", stdout);
    print_bytes(m->payload, m->len);
    (void)fputs(",\"headers\":{", stdout);
    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0;
             rd_kafka_header_get_all(headers, i, &name, &value, &len) ==
             RD_KAFKA_RESP_ERR_NO_ERROR;
             i++) {
            (void)printf("%s", i ? "," : "");
            print_bytes(name, strlen(name));
            (void)putchar(':');
            print_bytes(value, len);
        }
    }
    (void)fputs("}}\n", stdout);
}

/* Print the records of one partition up to the end that it has now. */
static int dump_partition(rd_kafka_t *rk, const char *topic, int partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t low, high, position;

    if (rd_kafka_query_watermark_offsets(rk, topic, partition, &low, &high, WAIT_MS))
        return fail(topic, "no watermarks");
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = low;
    rd_kafka_assign(rk, list);
    for (position = low; position < high;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);

        if (m && m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            print_record(m);
            position = m->offset + 1;
        } else if (rd_kafka_position(rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                   list->elems[0].offset > position) {
            position = list->elems[0].offset; /* markers, or deleted meanwhile */
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(rk, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    return 0;
}

static int dump(const char *topic)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, "probe");
    int partitions = partition_count(rk, topic);
    int code = partitions > 0 ? 0 : NOT_FOUND;

    for (int p = 0; p < partitions && code == 0; p++)
        code = dump_partition(rk, topic, p);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return code;
}

static int ends(const char *topic)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, "probe");
    int partitions = partition_count(rk, topic);
    int code = partitions > 0 ? 0 : NOT_FOUND;

    for (int p = 0; p < partitions; p++) {
        int64_t low, high;

        if (rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, WAIT_MS))
            code = fail(topic, "no watermarks");
        else
            (void)printf("%d %lld %lld\n", p, (long long)low, (long long)high);
    }
    rd_kafka_destroy(rk);
    return code;
}

static int committed(const char *group, const char *topic)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_CONSUMER, group);
    int partitions = partition_count(rk, topic);
    int code = partitions > 0 ? 0 : NOT_FOUND;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t err;

    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p);
    err = code ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(rk, list, WAIT_MS);
    if (err)
        code = fail(group, rd_kafka_err2str(err));
    for (int p = 0; p < list->cnt && code == 0; p++)
        (void)printf("%d %lld\n", p,
                     (long long)(list->elems[p].offset < 0 ? -1 : list->elems[p].offset));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return code;
}

static int topics(void)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL);
    const struct rd_kafka_metadata *md;
    int code = 0;

    if (rd_kafka_metadata(rk, 1, NULL, &md, WAIT_MS)) {
        code = fail("metadata", "no answer");
    } else {
        for (int i = 0; i < md->topic_cnt; i++)
            (void)puts(md->topics[i].topic);
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_destroy(rk);
    return code;
}

/* Wait for an admin result; the caller destroys it. */
static rd_kafka_event_t *result_of(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

    if (event == NULL || rd_kafka_event_error(event)) {
        (void)fail(what, event ? rd_kafka_event_error_string(event) : "no answer");
        exit(1);
    }
    return event;
}

static int first_error(const char *what, const rd_kafka_topic_result_t *const *results)
{
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[0]);

    return err ? fail(what, rd_kafka_err2str(err)) : 0;
}

static int create(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, int count)
{
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, count, 1, NULL, 0);
    rd_kafka_event_t *event;
    size_t n;
    int code;

    rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
    event = result_of(queue, topic);
    code = first_error(topic, rd_kafka_CreateTopics_result_topics(
                                  rd_kafka_event_CreateTopics_result(event), &n));
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    return code;
}

static int grow(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, size_t count)
{
    char text[512] = "";
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic, count, text, sizeof(text));
    rd_kafka_event_t *event;
    size_t n;
    int code;

    if (wanted == NULL)
        return fail(topic, text);
    rd_kafka_CreatePartitions(rk, &wanted, 1, NULL, queue);
    event = result_of(queue, topic);
    code = first_error(topic, rd_kafka_CreatePartitions_result_topics(
                                  rd_kafka_event_CreatePartitions_result(event), &n));
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(wanted);
    return code;
}

static int remove_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic)
{
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_event_t *event;
    size_t n;
    int code;

    rd_kafka_DeleteTopics(rk, &wanted, 1, NULL, queue);
    event = result_of(queue, topic);
    code = first_error(topic, rd_kafka_DeleteTopics_result_topics(
                                  rd_kafka_event_DeleteTopics_result(event), &n));
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(wanted);
    return code;
}

static int forget(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *group)
{
    rd_kafka_DeleteGroup_t *wanted = rd_kafka_DeleteGroup_new(group);
    const rd_kafka_group_result_t **results;
    rd_kafka_event_t *event;
    const rd_kafka_error_t *error;
    size_t n;
    int code = 0;

    rd_kafka_DeleteGroups(rk, &wanted, 1, NULL, queue);
    event = result_of(queue, group);
    results = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event), &n);
    error = rd_kafka_group_result_error(results[0]);
    if (error)
        code = fail(group, rd_kafka_error_string(error));
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteGroup_destroy(wanted);
    return code;
}

static int settings(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic)
{
    rd_kafka_ConfigResource_t *wanted =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_event_t *event;
    const rd_kafka_ConfigResource_t **results;
    const rd_kafka_ConfigEntry_t **entries;
    size_t n;

    rd_kafka_DescribeConfigs(rk, &wanted, 1, NULL, queue);
    event = result_of(queue, topic);
    results = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &n);
    entries = rd_kafka_ConfigResource_configs(results[0], &n);
    for (size_t i = 0; i < n; i++)
        (void)printf("%s %s\n", rd_kafka_ConfigEntry_name(entries[i]),
                     rd_kafka_ConfigEntry_value(entries[i]));
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(wanted);
    return 0;
}

static int admin(const char *verb, const char *name, const char *number)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    int code;

    if (strcmp(verb, "create") == 0)
        code = create(rk, queue, name, number ? atoi(number) : 1);
    else if (strcmp(verb, "grow") == 0)
        code = grow(rk, queue, name, number ? (size_t)atoi(number) : 1);
    else if (strcmp(verb, "delete") == 0)
        code = remove_topic(rk, queue, name);
    else if (strcmp(verb, "settings") == 0)
        code = settings(rk, queue, name);
    else
        code = forget(rk, queue, name);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return code;
}

static int produce(const char *topic, const char *timestamp)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL);
    int64_t ms = timestamp ? atoll(timestamp) : 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        size_t bytes = (size_t)len - (line[len - 1] == '\n');

        while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE(line, bytes),
                                 RD_KAFKA_V_TIMESTAMP(ms),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(rk, 10);
        rd_kafka_poll(rk, 0);
    }
    free(line);
    if (rd_kafka_flush(rk, WAIT_MS))
        return fail(topic, "records were not acknowledged");
    rd_kafka_destroy(rk);
    return 0;
}

/* "6b2d" in place → "k-"; NULL for "-". */
static char *unhex(char *text, size_t *len)
{
    *len = 0;
    if (strcmp(text, "-") == 0)
        return NULL;
    for (size_t i = 0; text[i] && text[i + 1]; i += 2) {
        char two[3] = {text[i], text[i + 1], '\0'};

        text[(*len)++] = (char)strtol(two, NULL, 16);
    }
    text[*len] = '\0';
    return text;
}

static int put_line(rd_kafka_t *rk, const char *topic, int32_t partition, char *line)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    size_t key_len = 0;
    size_t len = 0;
    char *rest = NULL;
    char *word = strtok_r(line, " \n", &rest);
    char *key = word ? unhex(word, &key_len) : NULL;
    char *value;
    char *name;

    word = strtok_r(NULL, " \n", &rest);
    value = word ? unhex(word, &len) : NULL;
    while ((name = strtok_r(NULL, " \n", &rest)) != NULL) {
        size_t name_len = 0;
        size_t header_len = 0;
        char *header;

        name = unhex(name, &name_len);
        word = strtok_r(NULL, " \n", &rest);
        header = word ? unhex(word, &header_len) : NULL;
        rd_kafka_header_add(headers, name, (ssize_t)name_len, header, (ssize_t)header_len);
    }
    return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE(value, len),
                             RD_KAFKA_V_HEADERS(headers),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

static int put(const char *topic, const char *partition)
{
    rd_kafka_t *rk = connect_as(RD_KAFKA_PRODUCER, NULL);
    int32_t number = partition ? atoi(partition) : RD_KAFKA_PARTITION_UA;
    char *line = NULL;
    size_t size = 0;
    int code = 0;

    while (code == 0 && getline(&line, &size, stdin) > 0)
        code = put_line(rk, topic, number, line);
    free(line);
    if (code != 0 || rd_kafka_flush(rk, WAIT_MS))
        return fail(topic, "records were not acknowledged");
    rd_kafka_destroy(rk);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    const char *name = argc > 2 ? argv[2] : NULL;
    const char *third = argc > 3 ? argv[3] : NULL;

    if (strcmp(verb, "topics") == 0)
        return topics();
    if (name && strcmp(verb, "dump") == 0)
        return dump(name);
    if (name && strcmp(verb, "ends") == 0)
        return ends(name);
    if (third && strcmp(verb, "committed") == 0)
        return committed(name, third);
    if (name && strcmp(verb, "produce") == 0)
        return produce(name, third);
    if (name && strcmp(verb, "put") == 0)
        return put(name, third);
    if (name && (strcmp(verb, "create") == 0 || strcmp(verb, "grow") == 0 ||
                 strcmp(verb, "delete") == 0 || strcmp(verb, "forget") == 0 ||
                 strcmp(verb, "settings") == 0))
        return admin(verb, name, third);
    (void)fputs("usage: probe dump|ends|committed|create|grow|delete|forget|produce|put|"
                "topics|settings …\n",
                stderr);
    return 2;
}
