package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

func write(ctx context.Context, args []string) {
	bootstrap, url, topic, file, key := args[0], args[1], args[2], args[3], args[4]
	text := string(must(os.ReadFile(file)))
	registered := must(connect(url).CreateSchema(ctx, topic+"-value", sr.Schema{Schema: text}))
	schema := must(avro.Parse(text))
	serde := sr.NewSerde()
	encode := func(value any) ([]byte, error) { return schema.Encode(value) }
	serde.Register(registered.ID, map[string]any{}, sr.EncodeFn(encode))

	// The default partitioner hashes keys as Java's does.
	kafka := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic(topic)))
	defer kafka.Close()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		record := parse(lines.Bytes())
		produced := &kgo.Record{Key: []byte(fmt.Sprint(record[key])), Value: must(serde.Encode(record))}
		must(kafka.ProduceSync(ctx, produced).First())
	}
}

// parse keeps numbers as they are written: a float64 is too narrow for a long.
func parse(line []byte) map[string]any {
	var record map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	return must(record, decoder.Decode(&record))
}

func read(ctx context.Context, args []string) {
	bootstrap, url, topic, count := args[0], args[1], args[2], must(strconv.Atoi(args[3]))
	kafka := must(kgo.NewClient(
		kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	))
	defer kafka.Close()
	registry, serde := connect(url), sr.NewSerde()
	for seen := 0; seen < count; {
		fetched := kafka.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			fail(err)
		}
		for records := fetched.RecordIter(); seen < count && !records.Done(); seen++ {
			record := records.Next()
			say(map[string]any{"key": string(record.Key), "value": decode(ctx, registry, serde, record.Value)})
		}
	}
}

// decode asks the registry for a schema when it first meets its id.
func decode(ctx context.Context, registry *sr.Client, serde *sr.Serde, payload []byte) map[string]any {
	id, _, err := serde.DecodeID(payload)
	if id = must(id, err); !serde.IsRegistered(id) {
		schema := resolve(ctx, registry, must(registry.SchemaByID(ctx, id)), &avro.SchemaCache{})
		serde.Register(id, map[string]any{}, sr.DecodeFn(func(binary []byte, value any) error {
			_, err := schema.Decode(binary, value)
			return err
		}))
	}
	var value map[string]any
	if err := serde.Decode(payload, &value); err != nil {
		fail(err)
	}
	return value
}

// resolve parses a schema after all that it refers to.
func resolve(ctx context.Context, registry *sr.Client, schema sr.Schema, known *avro.SchemaCache) *avro.Schema {
	for _, reference := range schema.References {
		referred := must(registry.SchemaByVersion(ctx, reference.Subject, reference.Version))
		resolve(ctx, registry, referred.Schema, known)
	}
	return must(known.Parse(schema.Schema))
}
