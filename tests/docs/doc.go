// Package docs holds the test that reads the documentation as a program would: every fenced block of README.md and
// docs/*.md is linted, compiled or run, and every command, link, metric and code they name has to exist.
//
// The info string of a block says what it is:
//
//	yaml                       a stream: it must lint as the binary lints it
//	yaml refused               a stream that must not lint; the next `text error` block is what it says
//	yaml test file=PATH        a unit test of a stream: it is written to the page's workspace and run
//	yaml contract              one contract, added to the page's workspace
//	yaml policy in=DESTINATION lines for the fields of a destination, added to the page's workspace
//	yaml policy refused in=... the same, but must not compile; the next `text error` block is what it says
//	yaml policy                an excerpt of a policy: it must compile against the shipped contracts
//	yaml topics                topics, added to the page's workspace
//	sql                        statements: they must return rows of events that came through the shipped pipelines
//	bloblang                   a mapping; with `# In:` and `# Out:` lines it is run
//	sh, json, text             commands, JSON, and what a program prints
//
// file=PATH on a stream writes it to the page's workspace, for a unit test to find. Every page begins with a copy of the
// shipped workspace. A block of any other kind fails the test.
package docs
