// Package signature decides whether a webhook delivery was signed by who holds the secret, and reads what the provider says
// of it: its id, its type and which attempt it is. It also signs, for samples and tests.
//
// Guarantee: a delivery is OK only when the bytes that arrived, with the time and the id where the scheme signs those, bear a
// signature made with one of the secrets that are not retired, and the signed time lies within the tolerance of now, before
// or after. The raw bytes are checked before anybody decodes them. A header counts only when it came exactly once, and only
// as a header: what a query, a cookie or a proxy's metadata says under its name never reaches this package.
//
// Every secret is compared with every signature of the header in constant time, whatever matched before, so the time an
// answer takes tells neither how much of a forgery was right nor which secret is in use. Signatures are compared as text in
// the one spelling their provider uses: no second spelling of a good signature passes.
//
// No error, result or printed configuration holds a secret.
package signature
