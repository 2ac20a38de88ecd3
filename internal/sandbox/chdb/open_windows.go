package chdb

import "errors"

var errPlatform = errors.New("the embedded engine does not exist for Windows")

func openLibrary(string) (uintptr, error) { return 0, errPlatform }

func findSymbol(uintptr, string) (uintptr, error) { return 0, errPlatform }
