// Package ebbgate carries the shipped workspace inside the binary, for `ebbgate init`. It stands at the root because a Go file
// embeds only what lies below it, and pipelines/ holds no Go.
package ebbgate

import "embed"

// Shipped holds pipelines/ and the mappings of bloblang/lib, as they are in the repository.
//
//go:embed pipelines bloblang/lib/*.blobl bloblang/lib/*.yaml
var Shipped embed.FS
