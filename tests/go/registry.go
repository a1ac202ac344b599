package main

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
)

const (
	subject = "go.orders-value"
	country = `{"type":"record","name":"Country","namespace":"go","fields":[{"name":"code","type":"string"}]}`
	address = `{"type":"record","name":"Address","namespace":"go","fields":[{"name":"city","type":"string"},{"name":"country","type":"Country"}]}`
	order   = `{"type":"record","name":"Order","namespace":"go","fields":[{"name":"id","type":"string"},{"name":"to","type":"Address"}]}`
	better  = `{"type":"record","name":"Order","namespace":"go","fields":[{"name":"id","type":"string"},{"name":"to","type":"Address"},{"name":"note","type":"string","default":""}]}`
	broken  = `{"type":"record","name":"Order","namespace":"go","fields":[{"name":"id","type":"int"},{"name":"to","type":"Address"}]}`
)

// saw is one line of what was seen.
type saw map[string]any

func converse(ctx context.Context, args []string) {
	client := connect(args[0], args[1:]...)
	registered := register(ctx, client)
	lookUp(ctx, client, registered)
	serialise(ctx, client, registered)
	compatibility(ctx, client)
	levels(ctx, client)
	modes(ctx, client)
	contexts(ctx, client)
	deletes(ctx, client, registered)
}

// code is the registry's error code and the name that the client has for it; nil if the registry did not refuse.
func code[T any](_ T, err error) any {
	var refused *sr.ResponseError
	if !errors.As(err, &refused) {
		return nil
	}
	return []any{refused.StatusCode, refused.ErrorCode, refused.SchemaError().Name}
}

func level(result sr.CompatibilityResult) (string, error) { return result.Level.String(), result.Err }

func mode(result sr.ModeResult) (string, error) { return result.Mode.String(), result.Err }

func avroSchema(text string, references ...sr.SchemaReference) sr.Schema {
	return sr.Schema{Schema: text, References: references}
}

func addressed(text string) sr.Schema {
	return avroSchema(text, sr.SchemaReference{Name: "go.Address", Subject: "go.address", Version: 1})
}

func register(ctx context.Context, client *sr.Client) sr.SubjectSchema {
	toCountry := sr.SchemaReference{Name: "go.Country", Subject: "go.country", Version: 1}
	toNothing := sr.SchemaReference{Name: "go.Address", Subject: "nowhere", Version: 1}
	must(client.CreateSchema(ctx, "go.country", avroSchema(country)))
	must(client.CreateSchema(ctx, "go.address", avroSchema(address, toCountry)))
	registered := must(client.CreateSchema(ctx, subject, addressed(order)))
	again := must(client.CreateSchema(ctx, subject, addressed(order)))
	say(saw{
		"step":       "registered",
		"named":      []any{registered.Subject, registered.Version},
		"idempotent": again.ID == registered.ID && again.Version == registered.Version,
		"to_nothing": code(client.CreateSchema(ctx, subject, avroSchema(order, toNothing))),
		"not_avro":   code(client.CreateSchema(ctx, subject, avroSchema(`{"type":"recrod"}`))),
	})
	return registered
}

func lookUp(ctx context.Context, client *sr.Client, registered sr.SubjectSchema) {
	found := must(client.LookupSchema(ctx, subject, addressed(order)))
	byID := must(client.SchemaByID(ctx, registered.ID))
	latest := must(client.SchemaByVersion(ctx, subject, -1))
	referring := must(client.SchemaReferences(ctx, "go.address", 1))
	usages := must(client.SchemaUsagesByID(ctx, registered.ID))
	say(saw{
		"step":            "looked up",
		"same":            reflect.DeepEqual(found, registered) && reflect.DeepEqual(latest, registered),
		"same_text":       byID.Schema == order && must(client.SchemaTextByVersion(ctx, subject, 1)) == order,
		"references":      byID.References,
		"referenced_by":   len(referring) == 1 && referring[0].Subject == subject,
		"subjects":        must(client.SubjectsByID(ctx, registered.ID)),
		"versions":        must(client.SchemaVersionsByID(ctx, registered.ID)),
		"usages":          len(usages) == 1 && reflect.DeepEqual(usages[0], registered),
		"all":             must(client.Subjects(sr.WithParams(ctx, sr.SubjectPrefix("go.")))),
		"page":            must(client.Subjects(sr.WithParams(ctx, sr.SubjectPrefix("go."), sr.Offset(1), sr.Limit(1)))),
		"schemas":         len(must(client.AllSchemas(sr.WithParams(ctx, sr.SubjectPrefix("go."))))),
		"supported_types": must(client.SupportedTypes(ctx)),
	})
	say(saw{
		"step":    "not there",
		"subject": code(client.SubjectVersions(ctx, "go.nothing")),
		"version": code(client.SchemaByVersion(ctx, subject, 9)),
		"schema":  code(client.LookupSchema(ctx, subject, addressed(broken))),
		"id":      code(client.SchemaByID(ctx, 999_999)),
	})
}

func serialise(ctx context.Context, client *sr.Client, registered sr.SubjectSchema) {
	schema := resolve(ctx, client, registered.Schema, &avro.SchemaCache{})
	encoder := sr.NewSerde()
	encode := func(value any) ([]byte, error) { return schema.Encode(value) }
	encoder.Register(registered.ID, map[string]any{}, sr.EncodeFn(encode))
	value := map[string]any{"id": "O-1", "to": map[string]any{"city": "Salem", "country": map[string]any{"code": "US"}}}
	payload := must(encoder.Encode(value))
	say(saw{
		"step":               "serialised",
		"decoded_by_another": reflect.DeepEqual(decode(ctx, client, sr.NewSerde(), payload), value),
	})
}

func compatibility(ctx context.Context, client *sr.Client) {
	verbose := sr.WithParams(ctx, sr.Verbose)
	refused := must(client.CheckCompatibility(verbose, subject, -1, addressed(broken)))
	say(saw{
		"step":                     "compatibility",
		"broken":                   refused.Is,
		"broken_why":               refused.Messages,
		"quietly":                  must(client.CheckCompatibility(ctx, subject, 1, addressed(broken))),
		"better":                   must(client.CheckCompatibility(verbose, subject, 1, addressed(better))).Is,
		"better_with_all":          must(client.CheckCompatibility(verbose, subject, -2, addressed(better))).Is,
		"with_no_version":          code(client.CheckCompatibility(ctx, subject, 9, addressed(better))),
		"registered_though_broken": code(client.CreateSchema(ctx, subject, addressed(broken))),
	})
	evolved := must(client.CreateSchema(ctx, subject, addressed(better)))
	say(saw{"step": "evolved", "version": evolved.Version, "versions": must(client.SubjectVersions(ctx, subject))})
}

func levels(ctx context.Context, client *sr.Client) {
	full, none := sr.SetCompatibility{Level: sr.CompatFull}, sr.SetCompatibility{Level: sr.CompatNone}
	say(saw{
		"step":      "levels",
		"of_all":    must(level(client.Compatibility(ctx)[0])),
		"not_set":   code(level(client.Compatibility(ctx, subject)[0])),
		"inherited": must(level(client.Compatibility(sr.WithParams(ctx, sr.DefaultToGlobal), subject)[0])),
		"set":       must(level(client.SetCompatibility(ctx, full, subject)[0])),
		"read":      must(level(client.Compatibility(ctx, subject)[0])),
		"changed":   must(level(client.SetCompatibility(ctx, none, subject)[0])),
		"reset":     client.ResetCompatibility(ctx, subject)[0].Err == nil,
		"gone":      code(level(client.Compatibility(ctx, subject)[0])),
	})
}

func modes(ctx context.Context, client *sr.Client) {
	say(saw{
		"step":       "modes",
		"of_all":     must(mode(client.Mode(ctx)[0])),
		"not_set":    code(mode(client.Mode(ctx, subject)[0])),
		"set":        must(mode(client.SetMode(ctx, sr.ModeReadOnly, subject)[0])),
		"refused":    code(client.CreateSchema(ctx, subject, addressed(broken))),
		"reset":      must(mode(client.ResetMode(ctx, subject)[0])),
		"not_empty":  code(mode(client.SetMode(ctx, sr.ModeImport, subject)[0])),
		"import":     must(mode(client.SetMode(ctx, sr.ModeImport, "go.imported")[0])),
		"brought_id": must(client.RegisterSchema(ctx, "go.imported", avroSchema(`"bytes"`), 70_001, 7)),
		"brought":    must(client.SubjectVersions(ctx, "go.imported")),
		"taken":      code(client.RegisterSchema(ctx, "go.imported", avroSchema(`"long"`), 70_001, 8)),
		"unasked":    code(client.RegisterSchema(ctx, subject, addressed(better), 70_002, 9)),
	})
}

func contexts(ctx context.Context, client *sr.Client) {
	inContext := sr.InContext(ctx, ".go")
	created := must(client.CreateSchema(inContext, "country", avroSchema(country)))
	say(saw{
		"step":     "contexts",
		"own_ids":  created.ID,
		"subjects": must(client.Subjects(inContext)),
		"versions": must(client.SubjectVersions(ctx, ":.go:country")),
		"by_id":    must(client.SchemaByID(inContext, created.ID)).Schema == country,
		"deleted":  must(client.DeleteSubject(inContext, "country", sr.SoftDelete)),
		"contexts": slices.Contains(must(client.Contexts(ctx)), ".go"),
	})
}

func deletes(ctx context.Context, client *sr.Client, registered sr.SubjectSchema) {
	deleteVersion := func(subject string, version int, how sr.DeleteHow) (int, error) {
		return version, client.DeleteSchema(ctx, subject, version, how)
	}
	say(saw{
		"step":         "deleted softly",
		"referenced":   code(deleteVersion("go.address", 1, sr.SoftDelete)),
		"hard_at_once": code(deleteVersion(subject, 1, sr.HardDelete)),
		"version":      must(deleteVersion(subject, 1, sr.SoftDelete)),
		"twice":        code(deleteVersion(subject, 1, sr.SoftDelete)),
		"versions":     must(client.SubjectVersions(ctx, subject)),
		"with_deleted": must(client.SubjectVersions(sr.WithParams(ctx, sr.ShowDeleted), subject)),
		"still_by_id":  must(client.SchemaTextByID(ctx, registered.ID)) == order,
	})
	say(saw{
		"step":             "deleted for good",
		"subject":          must(client.DeleteSubject(ctx, subject, sr.SoftDelete)),
		"twice":            code(client.DeleteSubject(ctx, subject, sr.SoftDelete)),
		"subject_for_good": must(client.DeleteSubject(ctx, subject, sr.HardDelete)),
		"by_id":            code(client.SchemaByID(ctx, registered.ID)),
		"left":             strings.Join(must(client.Subjects(sr.WithParams(ctx, sr.SubjectPrefix("go.")))), " "),
	})
}
