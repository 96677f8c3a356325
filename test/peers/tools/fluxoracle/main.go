// fluxoracle does with the Flux library what `flux push|build|pull|diff|list artifact` (v2.9) do: the Flux CLI itself
// embeds manifests that its module does not hold, so it cannot be built from the module proxy.
//
//	fluxoracle push  -path DIR -source URL -revision REV [-annotation K=V]... oci://HOST/REPOSITORY:TAG   prints {"digest"}
//	fluxoracle build -path DIR -output FILE
//	fluxoracle pull  -output DIR oci://…    prints the annotations of the manifest
//	fluxoracle diff  -path DIR oci://…      fails when they differ
//	fluxoracle list  oci://HOST/REPOSITORY  prints the tags
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
)

// What the CLI leaves out by default (flux2 cmd/flux/build_artifact.go, excludeOCI).
var ignored = []string{
	".git/", ".gitignore", ".gitmodules", ".gitattributes",
	"*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip",
}

type pairs map[string]string

func (p pairs) String() string { return "" }
func (p pairs) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q is not KEY=VALUE", text)
	}
	p[key] = value
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: fluxoracle push|build|pull|diff|list [flags] [oci://…]"))
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fail(err)
	}
}

func run(command string, args []string) error {
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	path := flags.String("path", "", "directory")
	output := flags.String("output", "", "file (build) or directory (pull)")
	source := flags.String("source", "", "annotation org.opencontainers.image.source")
	revision := flags.String("revision", "", "annotation org.opencontainers.image.revision")
	annotations := pairs{}
	flags.Var(annotations, "annotation", "KEY=VALUE, repeatable")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := oci.NewClient([]crane.Option{crane.Insecure})

	switch command {
	case "build":
		return client.Build(*output, *path, ignored)
	case "push":
		url, err := oci.ParseArtifactURL(flags.Arg(0))
		if err != nil {
			return err
		}
		metadata := oci.Metadata{Source: *source, Revision: *revision, Annotations: annotations}
		pushed, err := client.Push(ctx, url, *path, oci.WithPushMetadata(metadata), oci.WithPushIgnorePaths(ignored...))
		if err != nil {
			return err
		}
		digest, err := name.NewDigest(pushed)
		if err != nil {
			return err
		}
		return show(map[string]string{"digest": digest.DigestStr()})
	case "pull":
		url, err := oci.ParseArtifactURL(flags.Arg(0))
		if err != nil {
			return err
		}
		metadata, err := client.Pull(ctx, url, *output)
		if err != nil {
			return err
		}
		return show(metadata)
	case "diff":
		url, err := oci.ParseArtifactURL(flags.Arg(0))
		if err != nil {
			return err
		}
		return client.Diff(ctx, url, *path, ignored)
	case "list":
		url, err := oci.ParseRepositoryURL(flags.Arg(0))
		if err != nil {
			return err
		}
		artifacts, err := client.List(ctx, url, oci.ListOptions{})
		if err != nil {
			return err
		}
		return show(artifacts)
	}
	return fmt.Errorf("unknown command %q", command)
}

func show(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
