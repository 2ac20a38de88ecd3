// Command mutants breaks the program in one place at a time and holds that a named test notices. The list is mutants.yaml: what is
// broken, by which lines, and the test that has to fail. Nothing broken is ever written into the tree: the compiler is given the
// changed file in place of the right one (go test -overlay).
//
//	go run ./tests/mutants                           all of them; exits with 1 if one survives
//	go run ./tests/mutants -only acknowledge         those whose name holds a text
//	go run ./tests/mutants -page docs/reliability.md all, and write the matrix into the page
package main
