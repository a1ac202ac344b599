// A conversation of Confluent's client and serializers for Node with the registry; prints each answer as a JSON line.
//
// usage: node registry.js REGISTRY [CA_FILE USER:PASSWORD]
"use strict";

const { readFileSync } = require("node:fs");
const { Agent } = require("node:https");
const { isDeepStrictEqual } = require("node:util");
const { AvroDeserializer, AvroSerializer, Compatibility, RestError, SchemaRegistryClient, SerdeType } =
  require("@confluentinc/schemaregistry");

const TOPIC = "node.orders";
const SUBJECT = `${TOPIC}-value`;

const record = (name, ...fields) => JSON.stringify({ type: "record", name, namespace: "node", fields });
const avro = (schema, ...references) => ({ schema, schemaType: "AVRO", references });

// The client parses what a schema refers to in this order, so what references refer to has to stand there too, first.
const REFERENCES = [
  { name: "node.Country", subject: "node.country", version: 1 },
  { name: "node.Address", subject: "node.address", version: 1 },
];
const TO = { name: "to", type: "Address" };
const COUNTRY = avro(record("Country", { name: "code", type: "string" }));
const IN = { name: "country", type: "Country" };
const ADDRESS = avro(record("Address", { name: "city", type: "string" }, IN), REFERENCES[0]);
const ORDER = avro(record("Order", { name: "id", type: "string" }, TO), ...REFERENCES);
const BETTER = avro(
  record("Order", { name: "id", type: "string" }, TO, { name: "note", type: "string", default: "" }),
  ...REFERENCES,
);
const BROKEN = avro(record("Order", { name: "id", type: "int" }, TO), ...REFERENCES);
const NOT_AVRO = avro('{"type":"recrod"}');

const say = (step, saw) => console.log(JSON.stringify({ step, ...saw }));

/** The registry's answer to what it must refuse; null if it did not refuse. */
async function code(call) {
  try {
    await call();
    return null;
  } catch (error) {
    if (error instanceof RestError) return [error.status, error.errorCode];
    throw error;
  }
}

function connect(url, ca, userInfo) {
  const secured = ca && {
    createAxiosDefaults: { httpsAgent: new Agent({ ca: readFileSync(ca) }) },
    basicAuthCredentials: { credentialsSource: "USER_INFO", userInfo },
  };
  return new SchemaRegistryClient({ baseURLs: [url], maxRetries: 0, ...secured });
}

async function serializers(client, another) {
  await client.register("node.country", COUNTRY);
  await client.register("node.address", ADDRESS);
  const value = { id: "O-1", to: { city: "Salem", country: { code: "US" } } };
  const byLookUp = new AvroSerializer(client, SerdeType.VALUE, { autoRegisterSchemas: false, useLatestVersion: true });
  say("neither registered nor allowed to", { code: await code(() => byLookUp.serialize(TOPIC, value)) });

  const { id } = await client.registerFullResponse(SUBJECT, ORDER);
  const payload = await byLookUp.serialize(TOPIC, value);
  const decoded = await new AvroDeserializer(another, SerdeType.VALUE, {}).deserialize(TOPIC, payload);
  const written = new AvroSerializer(client, SerdeType.VALUE, { autoRegisterSchemas: true });
  const derived = await written.serialize("node.derived", { city: "Salem" });
  say("serialised", {
    wireFormat: payload[0] === 0 && payload.readInt32BE(1) === id,
    decodedByAnother: isDeepStrictEqual({ ...decoded, to: { ...decoded.to, country: { ...decoded.to.country } } }, value),
    schemaOfValueRegistered: derived.readInt32BE(1) === (await another.getLatestSchemaMetadata("node.derived-value")).id,
  });
  return id;
}

async function lookUp(client, id) {
  const found = await client.getIdFullResponse(SUBJECT, ORDER);
  const byId = await client.getBySubjectAndId(SUBJECT, id);
  say("looked up", {
    sameId: (await client.getId(SUBJECT, ORDER)) === id,
    found: [found.subject, found.version],
    version: await client.getVersion(SUBJECT, ORDER),
    sameText: byId.schema === ORDER.schema,
    references: byId.references,
    latest: (await client.getLatestSchemaMetadata(SUBJECT)).version,
    subjects: (await client.getAllSubjects()).filter((subject) => subject.startsWith("node.")),
  });
  say("not there", {
    subject: await code(() => client.getAllVersions("node.nothing")),
    version: await code(() => client.getSchemaMetadata(SUBJECT, 9)),
    schema: await code(() => client.getId(SUBJECT, BROKEN)),
    id: await code(() => client.getBySubjectAndId(SUBJECT, 999_999)),
  });
}

async function compatibility(client) {
  say("compatibility", {
    broken: await client.testSubjectCompatibility(SUBJECT, BROKEN),
    brokenWithVersion1: await client.testCompatibility(SUBJECT, 1, BROKEN),
    better: await client.testSubjectCompatibility(SUBJECT, BETTER),
    registeredThoughBroken: await code(() => client.register(SUBJECT, BROKEN)),
    notAvro: await code(() => client.register(SUBJECT, NOT_AVRO)),
  });
  await client.register(SUBJECT, BETTER);
  client.clearLatestCaches();
  const latest = await client.getLatestSchemaMetadata(SUBJECT);
  say("evolved", { versions: await client.getAllVersions(SUBJECT), latest: latest.version });
}

async function levels(client) {
  say("levels", {
    ofAll: await client.getDefaultCompatibility(),
    notSet: await code(() => client.getCompatibility(SUBJECT)),
    set: await client.updateCompatibility(SUBJECT, Compatibility.FULL_TRANSITIVE),
    read: await client.getCompatibility(SUBJECT),
    config: await client.updateConfig(SUBJECT, { compatibility: Compatibility.NONE, normalize: true }),
    readConfig: await client.getConfig(SUBJECT),
    noLevel: await code(() => client.updateCompatibility(SUBJECT, "MOSTLY")),
  });
}

async function contexts(client) {
  const id = await client.register(":.node:country", COUNTRY);
  say("contexts", {
    ownIds: id,
    versions: await client.getAllVersions(":.node:country"),
    sameText: (await client.getBySubjectAndId(":.node:country", id)).schema === COUNTRY.schema,
  });
}

async function deletes(client, another, id) {
  say("deleted softly", {
    referenced: await code(() => client.deleteSubjectVersion("node.address", 1, false)),
    hardAtOnce: await code(() => client.deleteSubjectVersion(SUBJECT, 1, true)),
    version: await client.deleteSubjectVersion(SUBJECT, 1, false),
    twice: await code(() => client.deleteSubjectVersion(SUBJECT, 1, false)),
    versions: await client.getAllVersions(SUBJECT),
    withDeleted: (await another.getSchemaMetadata(SUBJECT, 1, true)).version,
    stillById: (await another.getBySubjectAndId(SUBJECT, id)).schema === ORDER.schema,
  });
  say("deleted for good", {
    subject: await client.deleteSubject(SUBJECT, false),
    twice: await code(() => client.deleteSubject(SUBJECT, false)),
    subjectForGood: await client.deleteSubject(SUBJECT, true),
    gone: await code(() => client.getAllVersions(SUBJECT)),
  });
}

async function main() {
  const [client, another] = [connect(...process.argv.slice(2)), connect(...process.argv.slice(2))];
  const id = await serializers(client, another);
  await lookUp(another, id);
  await compatibility(client);
  await levels(client);
  await contexts(client);
  await deletes(client, another, id);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
