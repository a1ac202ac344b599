// Reads the first N records of a view with the registry's own AvroDeserializer and prints each as a JSON line.
//
// usage: node read_view.js BOOTSTRAP REGISTRY TOPIC N
"use strict";

const { randomUUID } = require("node:crypto");
const { AvroDeserializer, SchemaRegistryClient, SerdeType } = require("@confluentinc/schemaregistry");
const { Kafka, logLevel } = require("kafkajs");

const DEADLINE_MS = 60_000;

async function main() {
  const [bootstrap, registryUrl, topic, count] = process.argv.slice(2);
  const deserializer = new AvroDeserializer(new SchemaRegistryClient({ baseURLs: [registryUrl] }), SerdeType.VALUE, {});
  // Consumers of kafkajs read committed records only, unless told otherwise.
  const consumer = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR }).consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let seen = 0;
  await new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`not ${count} records within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    const eachMessage = async ({ message }) => {
      if (seen >= count) return;
      const value = await deserializer.deserialize(topic, message.value);
      console.log(JSON.stringify({ key: message.key.toString(), value }));
      seen += 1;
      if (seen >= count) {
        clearTimeout(deadline);
        resolve();
      }
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
