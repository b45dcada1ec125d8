/* SPDX-License-Identifier: MIT
 *
 * contract.h - the protocol between the runner and a client process.
 * Layer: base; nodes/sdk includes it too. docs/protocol.md explains it with examples.
 *
 * The runner starts a client with a stream socket whose number stands in the environment
 * variable DAGRUN_FD. Both sides write JSON objects, one a line, with a "type". Unknown
 * types and unknown members are ignored. The runner's first line is "config". When the
 * socket closes, the runner is dead: the client must be gone within 500 ms.
 *
 * runner → client
 *   config   everything the client needs; see below
 *   pause    stop taking records or making them; keep the group membership
 *   resume   go on
 *   report   send a "stats" line now
 *   drain    finish what is in hand, flush, commit, exit 0. With "leave": true leave the
 *            group for good first (subscribe to the parking topic until revoked)
 *
 * config members
 *   dag, node, client ("0"), client_id ("<dag>.<node>.<client>"), run (int), attempt (int)
 *   dir         folder of the YAML: options of type path are relative to it
 *   with        object: the node's options, JSON values
 *   kafka       object: librdkafka properties, strings; secrets are only here
 *   mode        "run", or "send": one-off, no checkpoint, no group
 *   source      bool: the node has no input
 *   keep        bool: a source that is finished idles instead of exiting (start --keep)
 *   group       consumer group of the inputs; group.instance.id is client_id
 *   inputs      [{edge: "ask:calc", topic}]; the last is {edge: "retry:calc", topic}: the
 *               node's dead letters that are sent again
 *   outputs     [{edges: ["tag:left"], topic, partitions, max_record}]  (edges that share a
 *               topic: one); its max_record: the topic's max.message.bytes, 0 or absent:
 *               unknown. A larger output is a dead letter before anything is sent
 *   max_record  int bytes: message.max.bytes of the producer
 *   dlq         topic of the node's dead letters; made by the runner before it is needed
 *   parking     topic to subscribe to when leaving for good
 *   checkpoint  {group, topic}: where a source commits its position (partition 0),
 *               absent when it has no outputs
 *   position    int, absent for a fresh beginning: where a source goes on
 *   commit_ms   int: commit interval
 *
 * client → runner
 *   ready     assigned its first partitions (maybe none), or a source about to begin
 *   stats     once a second, after "report", and as soon as all that was taken is finished:
 *       in, answered, dropped, dead     records since this client started, whose offsets
 *                                       are committed or about to be: counted when finished
 *       out                             acknowledged outputs
 *       taken, produced                 taken from the broker; handed to librdkafka
 *       inflight                        taken, not finished
 *       paused, idle                    bools; idle: nothing in hand, everything committed
 *       finished                        bool: a source that made everything there is
 *       position                        int: acknowledged position of a source
 *       broker                          bool: reachable
 *       lag                             records behind the end, -1 unknown
 *       latency                         [count in bucket i: below 2^i ms], 24 buckets,
 *                                       handled time − record timestamp, since the start
 *       outputs                         [{topic, out}]
 *       partitions                      [{topic, partition, start, position, committed,
 *                                         end, inflight}] of the assignment. start: where
 *                                       this assignment began. position: next offset to
 *                                       take, -1 while unknown. committed: offset whose
 *                                       commit the broker confirmed, -1 none
 *   dead      one line a dead letter, at most 10 a second: topic, partition, offset,
 *             failed_at, reason; more are only counted
 *   error     text: why the client is about to exit with a failure
 *
 * Commit metadata: every committed offset of an input carries the totals of its partition
 * since the group's first record as CONTRACT_COUNTS; so counts are exact whatever dies:
 * a record that is handled again after a crash is below the committed offset only once.
 * Checkpoint metadata of a source: CONTRACT_CHECKPOINT.
 */
#ifndef BASE_CONTRACT_H
#define BASE_CONTRACT_H

#define CONTRACT_ENV_FD "DAGRUN_FD"

/* Exit codes of a client. Everything else is a failure that the runner restarts. */
enum contract_exit {
    CONTRACT_EXIT_DONE = 0,
    CONTRACT_EXIT_USAGE = 2,        /* bad options or arguments: not restarted */
    CONTRACT_EXIT_STAY_DOWN = 100,  /* do not restart (fenced, impossible) */
};

/* printf formats; arguments are int64_t. */
#define CONTRACT_COUNTS                                                                    \
    "{\"in\":%lld,\"answered\":%lld,\"dropped\":%lld,\"dead\":%lld,\"out\":%lld}"
#define CONTRACT_CHECKPOINT "{\"run\":%lld,\"finished\":%s,\"position\":%lld,\"out\":%lld}"

/* Headers of a dead letter; its key, value and other headers are the original's bytes. */
#define CONTRACT_HEADER_PREFIX "dagrun-"
#define CONTRACT_HEADER_REASON "dagrun-reason"
#define CONTRACT_HEADER_FAILED_AT "dagrun-failed-at" /* DECODE TRANSFORM SINK WRITE */
#define CONTRACT_HEADER_NODE "dagrun-node"
#define CONTRACT_HEADER_ATTEMPT "dagrun-attempt" /* decimal text, as the next three */
#define CONTRACT_HEADER_RUN "dagrun-run"
#define CONTRACT_HEADER_TOPIC "dagrun-topic"
#define CONTRACT_HEADER_PARTITION "dagrun-partition"
#define CONTRACT_HEADER_OFFSET "dagrun-offset"
#define CONTRACT_HEADER_TIME "dagrun-time" /* when it died, wall clock ms */
/* Headers of a dead letter that was sent again: which one, "topic/partition/offset", and
 * how often its record has been sent again by now. */
#define CONTRACT_HEADER_REPLAY "dagrun-replay"
#define CONTRACT_HEADER_REPLAYS "dagrun-replays"

#define CONTRACT_LATENCY_BUCKETS 24

#endif
