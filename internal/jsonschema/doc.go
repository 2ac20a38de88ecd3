// Package jsonschema describes the files of a workspace as JSON Schemas (draft 2020-12), for editors and other programs.
//
// Words come from the tables that the parsers use, and tests ask the parsers for the rest: a schema takes whatever its parser
// takes, and refuses unknown names and wrong types where its parser does. What only shows when files are held against each
// other, a path that no contract declares for example, is for `ebbgate lint` to say.
package jsonschema
