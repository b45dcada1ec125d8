// SPDX-License-Identifier: MIT

// Command franz does what the tests ask of franz-go and prints what it saw.
//
//	franz ADDRESS TAG CASE
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type run struct {
	address, tag string
	ctx          context.Context
	admin        *kadm.Client
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(what string, result any) { fmt.Printf("%s: %v\n", what, result) }

// code names an error as Kafka does.
func code(err error) string {
	var kafka *kerr.Error
	if errors.As(err, &kafka) {
		return kafka.Message
	}
	return fmt.Sprint(err)
}

func (r *run) named(name string) string { return "franz-" + name + "-" + r.tag }

func (r *run) client(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.address)}, options...)...)
	must(err)
	return client
}

func (r *run) topic(name string, partitions int32, configs map[string]*string) string {
	_, err := r.admin.CreateTopic(r.ctx, partitions, 1, configs, r.named(name))
	must(err)
	return r.named(name)
}

func (r *run) fill(topic string, partition int32, values ...string) {
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	for _, value := range values {
		record := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}
		must(client.ProduceSync(r.ctx, record).FirstErr())
	}
}

func numbers(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("value %d %s", i, strings.Repeat("x", i%300))
	}
	return values
}

// take polls until count records are there or it takes too long.
func (r *run) take(client *kgo.Client, count int) []*kgo.Record {
	ctx, cancel := context.WithTimeout(r.ctx, 30*time.Second)
	defer cancel()
	var found []*kgo.Record
	for len(found) < count && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			found = append(found, record)
		})
	}
	return found
}

func (r *run) read(topic string, count int, level kgo.IsolationLevel) []*kgo.Record {
	client := r.client(kgo.FetchIsolationLevel(level), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	defer client.Close()
	return r.take(client, count)
}

func values(records []*kgo.Record) []string {
	var texts []string
	for _, record := range records {
		texts = append(texts, string(record.Value))
	}
	return texts
}

func (r *run) records() {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression(),
	}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		topic := r.topic(codec, 1, nil)
		client := r.client(kgo.ProducerBatchCompression(codecs[codec]),
			kgo.ProducerLinger(20*time.Millisecond))
		want := numbers(500)
		for _, value := range want {
			client.Produce(r.ctx, &kgo.Record{Topic: topic, Value: []byte(value)}, nil)
		}
		must(client.Flush(r.ctx))
		client.Close()
		got := values(r.read(topic, len(want), kgo.ReadCommitted()))
		say(codec, strings.Join(got, "\n") == strings.Join(want, "\n"))
	}
	topic := r.topic("records", 1, map[string]*string{"retention.ms": kadm.StringPtr("-1")})
	client := r.client()
	defer client.Close()
	must(client.ProduceSync(r.ctx,
		&kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v"),
			Timestamp: time.UnixMilli(1234567890123),
			Headers:   []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "null"}}},
		&kgo.Record{Topic: topic, Timestamp: time.UnixMilli(1)},
		&kgo.Record{Topic: topic, Value: []byte(strings.Repeat("b", 900000)),
			Timestamp: time.UnixMilli(2)}).FirstErr())
	for _, got := range r.read(topic, 3, kgo.ReadUncommitted()) {
		say("record", fmt.Sprintf("%d at %d: %q %t %d bytes %v", got.Offset,
			got.Timestamp.UnixMilli(), got.Key, got.Value == nil, len(got.Value), got.Headers))
	}
	plain := r.client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer plain.Close()
	small := r.topic("small", 1, map[string]*string{"max.message.bytes": kadm.StringPtr("2000")})
	say("too large", code(plain.ProduceSync(r.ctx,
		&kgo.Record{Topic: small, Value: []byte(strings.Repeat("v", 3000))}).FirstErr()))
}

func (r *run) adminCalls() {
	topic := r.topic("admin", 2, nil)
	_, err := r.admin.CreateTopic(r.ctx, 1, 1, nil, topic)
	say("existing", code(err))
	_, err = r.admin.CreateTopic(r.ctx, 1, 3, nil, r.named("z"))
	say("replicas", code(err))
	_, err = r.admin.CreateTopic(r.ctx, 0, 1, nil, r.named("z"))
	say("partitions", code(err))
	_, err = r.admin.CreateTopic(r.ctx, 1, 1,
		map[string]*string{"no.such": kadm.StringPtr("1")}, r.named("z"))
	say("config", code(err))
	for _, set := range []struct {
		what, topic string
		count       int
	}{{"grow", topic, 4}, {"shrink", topic, 1}, {"grow unknown", r.named("nowhere"), 4}} {
		grown, err := r.admin.UpdatePartitions(r.ctx, set.count, set.topic)
		must(err)
		say(set.what, code(grown[set.topic].Err))
	}
	for _, set := range []struct{ key, value string }{
		{"retention.ms", "7777"}, {"retention.ms", "soon"}, {"no.such", "1"}} {
		altered, err := r.admin.AlterTopicConfigs(r.ctx,
			[]kadm.AlterConfig{{Op: kadm.SetConfig, Name: set.key, Value: &set.value}}, topic)
		must(err)
		say("set "+set.key+"="+set.value, code(altered[0].Err))
	}
	described, err := r.admin.DescribeTopicConfigs(r.ctx, topic)
	must(err)
	for _, config := range described[0].Configs {
		if config.Key == "retention.ms" {
			say("retention.ms", *config.Value+" "+config.Source.String())
		}
	}
	r.fill(topic, 0, "a", "b", "c")
	ends, err := r.admin.ListEndOffsets(r.ctx, topic)
	must(err)
	end, _ := ends.Lookup(topic, 0)
	say("end", end.Offset)
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 2, -1)
	deleted, err := r.admin.DeleteRecords(r.ctx, offsets)
	must(err)
	gone, _ := deleted.Lookup(topic, 0)
	say("deleted up to", gone.LowWatermark)
	groups, err := r.admin.DescribeGroups(r.ctx, r.named("nobody"))
	must(err)
	say("no group", groups[r.named("nobody")].State)
	_, err = r.admin.DeleteGroup(r.ctx, r.named("nobody"))
	say("delete no group", code(err))
	_, err = r.admin.DeleteTopic(r.ctx, topic)
	say("delete", code(err))
	_, err = r.admin.DeleteTopic(r.ctx, topic)
	say("delete again", code(err))
}

// member is a client of a group that polls in the background.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	owned  map[string]bool
	seen   int
}

func (r *run) member(options ...kgo.Opt) *member {
	m := &member{owned: map[string]bool{}}
	change := func(owns bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for topic, partitions := range parts {
				for _, partition := range partitions {
					delete(m.owned, fmt.Sprint(topic, "/", partition))
					if owns {
						m.owned[fmt.Sprint(topic, "/", partition)] = true
					}
				}
			}
		}
	}
	m.client = r.client(append(options, kgo.OnPartitionsAssigned(change(true)),
		kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(200*time.Millisecond))...)
	go func() {
		for {
			fetches := m.client.PollFetches(r.ctx)
			if fetches.IsClientClosed() {
				return
			}
			m.mutex.Lock()
			m.seen += fetches.NumRecords()
			m.mutex.Unlock()
		}
	}()
	return m
}

func (m *member) has() (int, int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.owned), m.seen
}

func until(what string, condition func() bool) {
	end := time.Now().Add(50 * time.Second)
	for !condition() {
		if time.Now().After(end) {
			must(errors.New("not in time: " + what))
		}
		time.Sleep(20 * time.Millisecond)
	}
	say(what, "yes")
}

func shares(members []*member, want ...int) bool {
	var got []int
	for _, m := range members {
		count, _ := m.has()
		got = append(got, count)
	}
	sort.Ints(got)
	return fmt.Sprint(got) == fmt.Sprint(want)
}

func (r *run) groups(name string, options ...kgo.Opt) {
	topic, group := r.topic("group-"+name, 6, nil), r.named("group-"+name)
	options = append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.HeartbeatInterval(300*time.Millisecond))
	members := []*member{r.member(options...)}
	until("one has all", func() bool { return shares(members, 6) })
	members = append(members, r.member(options...), r.member(options...))
	until("three share", func() bool { return shares(members, 2, 2, 2) })
	members[2].client.Close()
	members = members[:2]
	until("two are left", func() bool { return shares(members, 3, 3) })
	for partition := int32(0); partition < 6; partition++ {
		r.fill(topic, partition, "a", "b", "c")
	}
	until("all are seen", func() bool {
		_, one := members[0].has()
		_, two := members[1].has()
		return one+two == 18
	})
	// franz-go calls its part of KIP-848 beta; its automatic commits do not get here.
	if name != "consumer" {
		until("all are committed", func() bool {
			offsets, err := r.admin.FetchOffsets(r.ctx, group)
			must(err)
			sum := int64(0)
			offsets.Each(func(o kadm.OffsetResponse) { sum += o.At })
			return sum == 18
		})
	}
	members[0].client.Close()
	members[1].client.Close()
	_, err := r.admin.DeleteGroup(r.ctx, group)
	say("deleted", code(err))
}

func (r *run) regex() {
	first := r.topic("pattern-1", 1, nil)
	m := r.member(kgo.ConsumerGroup(r.named("pattern")), kgo.ConsumeRegex(),
		kgo.ConsumeTopics("^franz-pattern-.*-"+regexp.QuoteMeta(r.tag)+"$"),
		kgo.MetadataMaxAge(300*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	until("one topic", func() bool { return shares([]*member{m}, 1) })
	r.fill(first, 0, "one")
	second := r.topic("pattern-2", 1, nil)
	r.fill(second, 0, "two")
	until("two topics", func() bool { return shares([]*member{m}, 2) })
	until("both records", func() bool { _, seen := m.has(); return seen == 2 })
	m.client.Close()
}

func (r *run) send(client *kgo.Client, topic, value string) error {
	return client.ProduceSync(r.ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr()
}

// fencing opens a transaction with the id of one that is open. Kafka may still be at work on
// the abort of that one, which franz-go takes as fatal.
func (r *run) fencing(topic string) *kgo.Client {
	for {
		client := r.client(kgo.TransactionalID(r.named("tx")))
		err := client.BeginTransaction()
		if err == nil {
			err = r.send(client, topic, "c3")
		}
		if err == nil {
			return client
		}
		client.Close()
		if !strings.Contains(err.Error(), kerr.ConcurrentTransactions.Message) {
			must(err)
		}
	}
}

func (r *run) transactions() {
	topic := r.topic("tx", 1, nil)
	one := r.client(kgo.TransactionalID(r.named("tx")))
	for _, step := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{{"c1", kgo.TryCommit}, {"a1", kgo.TryAbort}, {"c2", kgo.TryCommit}} {
		must(one.BeginTransaction())
		must(r.send(one, topic, step.value))
		must(one.EndTransaction(r.ctx, step.end))
	}
	must(one.BeginTransaction())
	must(r.send(one, topic, "fenced"))
	two := r.fencing(topic)
	say("fenced", one.EndTransaction(r.ctx, kgo.TryCommit) != nil)
	must(two.EndTransaction(r.ctx, kgo.TryCommit))
	one.Close()
	two.Close()
	say("read_committed", values(r.read(topic, 3, kgo.ReadCommitted())))
	say("read_uncommitted", values(r.read(topic, 5, kgo.ReadUncommitted())))
}

func (r *run) copies() {
	source, sink := r.topic("from", 2, nil), r.topic("to", 1, nil)
	group := r.named("copy")
	want := numbers(60)
	r.fill(source, 0, want[:30]...)
	r.fill(source, 1, want[30:]...)
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(r.address),
		kgo.TransactionalID(group), kgo.ConsumerGroup(group), kgo.ConsumeTopics(source),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	must(err)
	done := 0
	for rounds := 1; done < len(want); rounds++ {
		fetches := session.PollRecords(r.ctx, 10)
		must(session.Begin())
		fetches.EachRecord(func(record *kgo.Record) {
			session.Produce(r.ctx, &kgo.Record{Topic: sink, Value: record.Value}, nil)
		})
		committed, err := session.End(r.ctx, kgo.TransactionEndTry(rounds%3 != 2))
		must(err)
		if committed {
			done += fetches.NumRecords()
		}
	}
	session.Close()
	got := values(r.read(sink, len(want), kgo.ReadCommitted()))
	sort.Strings(got)
	sort.Strings(want)
	say("exactly once", strings.Join(got, "\n") == strings.Join(want, "\n"))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	r := &run{address: os.Args[1], tag: os.Args[2], ctx: ctx}
	client := r.client()
	defer client.Close()
	r.admin = kadm.NewClient(client)
	switch os.Args[3] {
	case "records":
		r.records()
	case "admin":
		r.adminCalls()
	case "range":
		r.groups("range", kgo.Balancers(kgo.RangeBalancer()))
	case "cooperative":
		r.groups("cooperative", kgo.Balancers(kgo.CooperativeStickyBalancer()))
	case "consumer":
		r.groups("consumer", kgo.WithContext(context.WithValue(ctx,
			"opt_in_kafka_next_gen_balancer_beta", true)))
	case "regex":
		r.regex()
	case "transactions":
		r.transactions()
	case "copy":
		r.copies()
	default:
		must(errors.New("no such case: " + os.Args[3]))
	}
}
