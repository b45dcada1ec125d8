/* SPDX-License-Identifier: MIT */
#include "core/dag.h"

#include "base/text.h"
#include "core/dag_check.h"
#include "core/dag_keys.h"
#include "core/dag_read.h"
#include "core/dag_yaml.h"
#include "core/name_table.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_place(struct dag *dag, const char *text, size_t len, const char *path)
{
    const char *slash = strrchr(path, '/');
    unsigned char digest[SHA256_DIGEST_LENGTH];

    dag->path = mem_arena_strdup(&dag->arena, path);
    dag->dir = slash == NULL ? "."
               : slash == path
                   ? "/"
                   : mem_arena_strndup(&dag->arena, path, (size_t)(slash - path));
    dag->text = mem_arena_strndup(&dag->arena, text, len);
    (void)SHA256((const unsigned char *)text, len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(dag->hash + 2 * i, 3, "%02x", digest[i]);
}

/* A node whose clients: was not written, or was wrong, has one with the id 0. */
static void fill_clients(struct dag *dag)
{
    static const char *const one[] = {"0"};

    for (size_t i = 0; i < dag->node_count; i++) {
        struct dag_node *node = &dag->nodes[i];

        if (node->client_count > 0)
            continue;
        node->clients = mem_arena_alloc(&dag->arena, sizeof one);
        memcpy(node->clients, one, sizeof one);
        node->client_count = 1;
    }
}

struct dag *dag_load(const char *text, size_t len, const char *path,
                     const struct dag_source *source, struct diag_list *diags)
{
    struct dag *dag = mem_alloc(sizeof *dag);
    struct dag_subst subst = {.source = source, .arena = &dag->arena, .diags = diags};
    struct dag_reader reader = {.dag = dag, .diags = diags};
    const struct dag_value *root;

    set_place(dag, text, len, path);
    subst.dir = dag->dir;
    root = dag_yaml_parse(text, len, &dag->arena, &subst, diags);
    if (root) {
        dag_read(&reader, root);
        fill_clients(dag);
        dag_check_graph(dag, reader.from_given, dag->edge_count == reader.link_count,
                        diags);
        dag_check_topics(dag, diags);
    }
    if (diags->count == 0)
        return dag;
    diag_sort(diags);
    dag_free(dag);
    return NULL;
}

void dag_free(struct dag *dag)
{
    if (dag == NULL)
        return;
    mem_arena_clear(&dag->arena);
    free(dag);
}

/* All places where value stands become stars; text is freed. */
static char *mask(char *text, const char *value)
{
    struct text_buf masked = {0};
    const char *from = text;
    const char *at;

    if (*value == '\0')
        return text;
    while ((at = strstr(from, value)) != NULL) {
        text_append_bytes(&masked, from, (size_t)(at - from));
        text_append(&masked, "***");
        from = at + strlen(value);
    }
    text_append(&masked, from);
    free(text);
    return text_take(&masked);
}

char *dag_masked_text(const struct dag *dag)
{
    char *text = mem_strdup(dag->text);

    for (size_t i = 0; i < dag->kafka.count; i++) {
        if (dag_property_is_secret(dag->kafka.items[i].name))
            text = mask(text, dag->kafka.items[i].value);
    }
    return text;
}

int dag_find_node(const struct dag *dag, const char *name)
{
    const struct dag_node *node = name_table_find(dag->node_names, name);

    return node ? (int)(node - dag->nodes) : -1;
}

int dag_find_edge(const struct dag *dag, const char *id)
{
    const struct dag_edge *edge = name_table_find(dag->edge_names, id);

    return edge ? (int)(edge - dag->edges) : -1;
}

char *dag_group(const struct dag *dag, size_t node)
{
    return mem_printf("%s%s.%s", dag->prefix, dag->name, dag->nodes[node].name);
}

char *dag_dlq_topic(const struct dag *dag, size_t node)
{
    return mem_printf("%s%s.%s.dlq", dag->prefix, dag->name, dag->nodes[node].name);
}

char *dag_retry_topic(const struct dag *dag, size_t node)
{
    return mem_printf("%s%s.%s.retry", dag->prefix, dag->name, dag->nodes[node].name);
}

char *dag_retry_edge(const struct dag *dag, size_t node)
{
    return mem_printf("%s:%s", DAG_RETRY_FROM, dag->nodes[node].name);
}

char *dag_parking_topic(const struct dag *dag)
{
    return mem_printf("%s%s.parking", dag->prefix, dag->name);
}

char *dag_client_id(const struct dag *dag, size_t node, const char *client)
{
    return mem_printf("%s.%s.%s", dag->name, dag->nodes[node].name, client);
}

char *dag_checkpoint_group(const struct dag *dag, size_t node, const char *client)
{
    return mem_printf("%s%s.%s.%s.checkpoint", dag->prefix, dag->name,
                      dag->nodes[node].name, client);
}
