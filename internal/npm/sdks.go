package npm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// SegmentNode is @segment/analytics-node and all it needs, published under the MIT and BSD licences. They are fetched into
// a cache and are no part of this repository.
var SegmentNode = []Package{
	{Name: "@segment/analytics-node", Version: "3.1.0", Integrity: "sha512-F3pJmzUxmWZFV2wxJfuGvjLViCrQBFpxLLp4++fkoDsohWwS89T7n0M5nW1zxeYc2X2rA/v7q5ou3JZIw9bl3g=="},
	{Name: "@segment/analytics-core", Version: "1.8.3", Integrity: "sha512-63X8e2DWb2ZnJ9S3H8iSOFnbeDXMkTGhA8kZG4eFAO07QBwBVyWo5BCpv6vmuOMEkv2le6t2FMg1p6ZeJQA/4A=="},
	{Name: "@segment/analytics-generic-utils", Version: "1.2.0", Integrity: "sha512-DfnW6mW3YQOLlDQQdR89k4EqfHb0g/3XvBXkovH1FstUN93eL1kfW9CsDcVQyH3bAC5ZsFyjA/o/1Q2j0QeoWw=="},
	{Name: "@lukeed/uuid", Version: "2.0.1", Integrity: "sha512-qC72D4+CDdjGqJvkFMMEAtancHUQ7/d/tAiHf64z8MopFDmcrtbcJuerDtFceuAfQJ2pDSfCKCtbqoGBNnwg0w=="},
	{Name: "@lukeed/csprng", Version: "1.1.0", Integrity: "sha512-Z7C/xXCiGWsg0KuKsHTKJxbWhpI3Vs5GwLfOean7MGyVFGqdRgBbAjOCh6u4bbjPc/8MJ2pZmK/0DLdCbivLDA=="},
	{Name: "base64-js", Version: "1.5.1", Integrity: "sha512-AKpaYlHn8t4SVbOHCy+b5+KKgvR4vrsD8vbvrbiQJps7fKDTkjkDry6ji0rUJjC0kzbNePLwzxq8iypo41qeWA=="},
	{Name: "buffer", Version: "6.0.3", Integrity: "sha512-FTiCpNxtwiZZHEZbcbTIcZjERVICn9yq/pDFkTl95/AxzD1naBctN7YO68riM/gLSDY7sdrMby8hofADYuuqOA=="},
	{Name: "dset", Version: "3.1.4", Integrity: "sha512-2QF/g9/zTaPDc3BjNcVTGoBbXBgYfMTTceLaYcFJ/W9kggFUkhxD/hMEeuLKbugyef9SqAx8cpgwlIP/jinUTA=="},
	{Name: "ieee754", Version: "1.2.1", Integrity: "sha512-dcyqhDvX1C46lXZcVqCpK+FtMRQVdIMN6/Df5js2zouUsqG7I6sFxitIC+7KYK29KdXOLHdu9zL4sFnoVQnqaA=="},
	{Name: "jose", Version: "5.10.0", Integrity: "sha512-s+3Al/p9g32Iq+oqXxkW//7jk2Vig6FF1CFqzVXoTUXt2qz89YWbL+OwS17NFYEvxC35n0FKeGO2LGYSxeM2Gg=="},
	{Name: "tslib", Version: "2.9.1", Integrity: "sha512-a4Ux9VKuIMHsOS7ENbEq6hK2ZGYIT27Rtl0E4eD9KqwxhKiQeMZE/9xb3IdYwWaSOyIBQLExhQgXDTYoiCxnWA=="},
}

// The SDKs of browsers, under the MIT licence: each a file that a page loads.
var (
	AnalyticsNext = Package{Name: "@segment/analytics-next", Version: "1.84.3", Integrity: "sha512-5l7cPBzScxhfJ0zdcKQI4daDvMIWWUk7hClT1xGRelnHUltIEoQ9w8+ZpFPoWJMpX8D7IA1nVAfJbpiKi3XaKw=="}
	RudderStackJS = Package{Name: "@rudderstack/analytics-js", Version: "3.34.1", Integrity: "sha512-cci768CvaM64Wr/MDDtLF8K49aPy7TwwfwL9G1a2SSfgwL4XfVfGNVT//Mv8yph0a14pPc/Nf5HDWhVjAD5vQg=="}
)

// Install puts packages where node finds them from a folder. Start it with --preserve-symlinks and --preserve-symlinks-main.
func Install(ctx context.Context, dir string, packages []Package) error {
	cache, err := CacheDir()
	if err != nil {
		return err
	}
	for _, p := range packages {
		from, err := Fetcher{CacheDir: cache}.Fetch(ctx, p)
		if err != nil {
			return fmt.Errorf("fetching %s: %w", p, err)
		}
		to := filepath.Join(dir, "node_modules", filepath.FromSlash(p.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("installing %s: %w", p, err)
		}
		if err := os.Symlink(from, to); err != nil {
			return fmt.Errorf("installing %s: %w", p, err)
		}
	}
	return nil
}
