package main

import (
	"fmt"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/tests/corpus"
)

// checkCorpus holds the scanner that is measured to the corpus of events that try to get past it: a number counts only
// for a gate that is shut.
func checkCorpus() (cases int, err error) {
	list, err := corpus.Cases()
	if err != nil {
		return 0, err
	}
	dict, err := event.NewDictionary(corpus.GovernedPaths...)
	if err != nil {
		return 0, err
	}
	scanner := event.NewScanner(dict, event.DefaultLimits)
	var ix event.Index
	for _, c := range list {
		got := "ok"
		if err := scanner.Scan(c.Raw, &ix); err != nil {
			fault, _ := event.AsFault(err)
			got = fault.Code
		}
		if got != c.Want {
			return 0, fmt.Errorf("running the bypass corpus: case %s gives %s and must give %s", c.Name, got, c.Want)
		}
	}
	return len(list), nil
}
