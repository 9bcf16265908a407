// SPDX-License-Identifier: LGPL-2.1-or-later

// What kubelet says to an image credential provider, and what it understands of the answer and of its configuration,
// by the Go types that Kubernetes publishes. An argument says which, standard input has it:
//
//	request   a JSON object with members of CredentialProviderRequest; written out as kubelet encodes it
//	response  an answer; written out as kubelet understood it
//	config    a CredentialProviderConfig in YAML; written out as JSON
//
// Strict beyond kubelet: members that nobody knows, or that stand twice, are errors.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	config "k8s.io/kubelet/config/v1"
	"k8s.io/kubelet/pkg/apis/credentialprovider"
	"k8s.io/kubelet/pkg/apis/credentialprovider/install"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
)

type understood struct {
	CacheKeyType string            `json:"cacheKeyType"`
	CacheSeconds *float64          `json:"cacheSeconds"`
	Auth         map[string]string `json:"auth"` // user names alone
}

func run(kind string, input []byte) ([]byte, error) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	if err := config.AddToScheme(scheme); err != nil {
		return nil, err
	}
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	switch kind {
	case "request":
		request := &credentialprovider.CredentialProviderRequest{}
		if err := json.Unmarshal(input, request); err != nil {
			return nil, err
		}
		info, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
		return runtime.Encode(codecs.EncoderForVersion(info.Serializer, v1.SchemeGroupVersion), request)
	case "response":
		object, _, err := codecs.UniversalDecoder().Decode(input, nil, nil)
		if err != nil {
			return nil, err
		}
		response, ok := object.(*credentialprovider.CredentialProviderResponse)
		if !ok {
			return nil, fmt.Errorf("no answer but a %T", object)
		}
		found := understood{CacheKeyType: string(response.CacheKeyType), Auth: map[string]string{}}
		if response.CacheDuration != nil {
			seconds := response.CacheDuration.Duration.Seconds()
			found.CacheSeconds = &seconds
		}
		for image, login := range response.Auth {
			found.Auth[image] = login.Username
		}
		return json.Marshal(found)
	case "config":
		object, _, err := codecs.UniversalDeserializer().Decode(input, nil, nil)
		if err != nil {
			return nil, err
		}
		return json.Marshal(object)
	}
	return nil, fmt.Errorf("unknown: %q", kind)
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err == nil && len(os.Args) == 2 {
		input, err = run(os.Args[1], input)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(input)
}
