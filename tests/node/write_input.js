// Writes records to an input port with the registry's own AvroSerializer: JSON lines on standard input, a key column.
//
// usage: node write_input.js BOOTSTRAP REGISTRY TOPIC SCHEMA_FILE KEY_COLUMN
"use strict";

const { readFileSync } = require("node:fs");
const { AvroSerializer, SchemaRegistryClient, SerdeType } = require("@confluentinc/schemaregistry");
const { Kafka, Partitioners, logLevel } = require("kafkajs");

async function main() {
  const [bootstrap, registryUrl, topic, schemaFile, keyColumn] = process.argv.slice(2);
  const registry = new SchemaRegistryClient({ baseURLs: [registryUrl] });
  await registry.register(`${topic}-value`, { schema: readFileSync(schemaFile, "utf8"), schemaType: "AVRO" });
  const serializer = new AvroSerializer(registry, SerdeType.VALUE, { useLatestVersion: true });

  const lines = readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
  const messages = [];
  for (const record of lines.map((line) => JSON.parse(line))) {
    messages.push({ key: String(record[keyColumn]), value: await serializer.serialize(topic, record) });
  }
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR });
  // The default partitioner hashes keys as Java's does.
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
