// Clients in Go: franz-go and its client of the schema registry.
//
// usage:
//
//	clients registry REGISTRY [CA_FILE USER:PASSWORD]                    converses with the registry, an answer a JSON line
//	clients write_input BOOTSTRAP REGISTRY TOPIC SCHEMA_FILE KEY_COLUMN  writes the JSON lines of standard input as Avro
//	clients read_view BOOTSTRAP REGISTRY TOPIC N                         prints the first N records as JSON lines
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

const deadline = 60 * time.Second

func main() {
	usages := map[string]struct {
		arguments int
		run       func(context.Context, []string)
	}{"registry": {1, converse}, "write_input": {5, write}, "read_view": {4, read}}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	usage, known := usages[strings.Join(os.Args[1:min(2, len(os.Args))], "")]
	if !known || len(os.Args)-2 < usage.arguments {
		fail(errors.New("usage: clients registry|write_input|read_view ARGUMENT..."))
	}
	usage.run(ctx, os.Args[2:])
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// must ends the program with the error, if there is one.
func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

func say(line any) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fail(err)
	}
}

// connect takes the registry's address and, for a secured one, its CA and credentials.
func connect(url string, security ...string) *sr.Client {
	options := []sr.ClientOpt{sr.URLs(url)}
	if len(security) == 2 {
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM(must(os.ReadFile(security[0])))
		user, password, _ := strings.Cut(security[1], ":")
		options = append(options, sr.DialTLSConfig(&tls.Config{RootCAs: authorities}), sr.BasicAuth(user, password))
	}
	return must(sr.NewClient(options...))
}
