// SPDX-License-Identifier: LGPL-2.1-or-later

// Fetches the manifest of an image as containerd does: with its resolver, and hosts.toml below a directory.
//
//	containerd DIRECTORY IMAGE
//
// Nobody gives it a credential, so what it has is what stands there. Whom it trusts is in SSL_CERT_FILE.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
)

func fetch(directory, image string) error {
	ctx := context.Background()
	hosts := config.ConfigureHosts(ctx, config.HostOptions{HostDir: config.HostDirFromRoot(directory)})
	resolver := docker.NewResolver(docker.ResolverOptions{Hosts: hosts})
	name, descriptor, err := resolver.Resolve(ctx, image)
	if err != nil {
		return err
	}
	fetcher, err := resolver.Fetcher(ctx, name)
	if err != nil {
		return err
	}
	manifest, err := fetcher.Fetch(ctx, descriptor)
	if err != nil {
		return err
	}
	defer manifest.Close()
	_, err = io.Copy(os.Stdout, manifest)
	return err
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "containerd DIRECTORY IMAGE")
		os.Exit(2)
	}
	if err := fetch(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
